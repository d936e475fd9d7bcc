"""One visit of one page in Chromium: whom it asked, what it weighs, what moved and what blocked; and axe."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from diffusion_lab.book.node import BOOK

AXE = BOOK / "node_modules/axe-core/axe.min.js"
# Observers from the first moment on: what moved without a reader's doing, and tasks of more than 50 ms.
WATCH = """
window.seen = { shift: 0, blocked: 0 };
const watch = (type, note) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
watch("longtask", (entry) => { seen.blocked += Math.max(0, entry.duration - 50); });
"""


class Seen(NamedTuple):
    """What one visit with an empty cache showed. Weight in bytes as sent, gzipped; blocked in ms."""

    name: str
    weight: int
    formulas: int
    live: bool
    others: list[str]
    errors: list[str]
    shift: float
    blocked: float


def visit(browser: Any, address: str, name: str) -> Seen:
    """Open a page as a new reader, scroll to its end, and wait until nothing is loading."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sizes: dict[str, int] = {}
    others: list[str] = []
    errors: list[str] = []
    page.on("response", lambda answer: sizes.update({answer.url: sent(answer)}))
    page.on("request", lambda request: note(request.url, address, others))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(WATCH)
    page.goto(address + name, wait_until="networkidle")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    seen, weight = page.evaluate("seen"), sum(sizes.values())
    formulas, live = page.locator(".katex").count(), page.locator(".dl-scrubber, .dl-anywidget").count()
    context.close()
    return Seen(name, weight, formulas, live > 0, others, errors, seen["shift"], seen["blocked"])


def sent(answer: Any) -> int:
    """Bytes of an answer's body on the wire."""
    return int(answer.headers.get("content-length", 0))


def note(url: str, address: str, others: list[str]) -> None:
    """Remember a request that leaves the site."""
    if urlsplit(url).scheme not in ("data", "blob") and not url.startswith(address):
        others.append(url)


def axe(browser: Any, address: str, names: list[str], scheme: str, width: int) -> list[tuple[str, str, str]]:
    """(page, rule, element) of every violation on these pages."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page, found = context.new_page(), []
    for name in names:
        page.goto(address + name, wait_until="networkidle")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for one in page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
            found.append((name, one["id"], one["nodes"][0]["html"][:120]))
    context.close()
    return found
