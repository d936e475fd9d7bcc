"""A live part alone on a page: what the tests of the parts share."""

from diffusion_lab.book.frame import BOOK
from tests.book.skips import packages_or_skip

AXE = BOOK / "node_modules/axe-core/axe.min.js"
STYLE = ":root { color-scheme: light dark } body { background: Canvas; color: CanvasText }"


def shown(page, tmp_path, part):
    """Open the part as a notebook would show it, for a reader who wants no motion."""
    file = tmp_path / "page.html"
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><style>{STYLE}</style>"
    body = f"<main><h1>{part.title}</h1>{part._repr_html_()}</main>"
    file.write_text(
        f"<!doctype html><html lang='en'><head>{head}<title>t</title></head><body>{body}</body></html>",
        encoding="utf-8",
    )
    page.emulate_media(reduced_motion="reduce")
    page.goto(file.as_uri())
    page.wait_for_selector(".dl-live canvas")
    return page


def pictures(page):
    """What every canvas shows."""
    return page.evaluate("[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())")


def told(page):
    """All read-outs that are spoken when they change."""
    return " ".join(page.locator("output[aria-live=polite]").all_inner_texts())


def assert_accessible(page):
    """axe finds nothing in light, dark and on a phone; nothing is wider than the phone; nobody was asked."""
    packages_or_skip()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert {url.split(":")[0] for url in page.asked} <= {"file", "data"}
