"""The built study site in Chromium: no other host is asked, no page errs, and the live parts live."""

import re

import pytest
from playwright.sync_api import Error

from diffusion_lab.book.links import broken
from diffusion_lab.book.node import BOOK
from tests.book.skips import packages_or_skip

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = BOOK / "node_modules/axe-core/axe.min.js"


def pages(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.html"))


def test_no_page_asks_another_host_or_reports_an_error(page, site):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for name in pages(site[1]):
        page.goto(site[0] + name, wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert not complaints, (name, complaints)
    others = [url for url in page.asked if not url.startswith((site[0], "data:", "blob:"))]
    assert not others


def test_no_page_holds_a_handler_that_its_policy_forbids(site):
    texts = {name: (site[1] / name).read_text(encoding="utf-8") for name in pages(site[1])}
    assert not [name for name, text in texts.items() if re.search(r"<[a-z][^>]*\son[a-z]+=\"", text)]
    headed = {name: text for name, text in texts.items() if "<head>" in text}  # index.html only leads on
    assert set(texts) - set(headed) <= {"index.html"}
    assert not [name for name, text in headed.items() if "Content-Security-Policy" not in text]


def test_figures_keep_their_place_before_they_come_and_their_proportion_on_a_phone(page, site):
    blocked = re.compile(r"_images/dl-\w+\.svg")
    page.set_viewport_size({"width": 390, "height": 900})
    boxes = []
    for route in (lambda route: route.abort(), lambda route: route.continue_()):
        page.route(blocked, route)
        page.goto(site[0] + "book/alignment.html", wait_until="networkidle")
        boxes.append([list(figure.bounding_box().values()) for figure in page.locator(".dl-plot img").all()])
        page.unroute(blocked)
    assert boxes[0] == [pytest.approx(box, abs=1) for box in boxes[1]]
    for figure in page.locator(".dl-plot img").all():
        wide, high, shown, tall = figure.evaluate("e => [e.naturalWidth, e.naturalHeight, e.width, e.height]")
        assert shown < 390
        assert tall / shown == pytest.approx(high / wide, rel=0.02)


def test_the_search_finds_pages_and_the_print_button_prints(page, opened):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened("search.html?q=guidance")
    page.locator("#search-results li").first.wait_for()
    page.get_by_text("Search finished").wait_for()
    assert not complaints
    opened("book/intro.html")
    page.evaluate("window.print = () => document.body.dataset.printed = 'yes'")
    page.locator("[data-click=print]").first.dispatch_event("click")
    assert page.evaluate("document.body.dataset.printed") == "yes"


def test_scripts_that_are_put_in_later_do_not_run(opened):
    for name in ("book/intro.html", "book/grill.html", "search.html"):
        page = opened(name)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.evil=1>')")
        page.evaluate(
            "document.head.append(Object.assign(document.createElement('script'), {text: 'evil = 1'}))"
        )
        page.wait_for_timeout(200)
        assert page.evaluate("window.evil") is None
        with pytest.raises(Error, match="Failed to fetch"):
            page.evaluate("fetch('http://127.0.0.1:9/', {mode: 'no-cors'})")


def test_every_link_inside_leads_to_a_page_and_a_place(site):
    assert not broken(site[1])


def test_pages_read_with_scripts_off(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in ("book/intro.html", "book/grill.html", "book/notation.html", "book/bank.html"):
        page.goto(site[0] + name)
        assert page.locator("article h1").is_visible()
    page.goto(site[0] + "book/grill.html")
    card = page.locator(".dl-card").first
    answer = card.locator(".dl-reveal .dl-part").first
    assert card.is_visible()
    assert not answer.is_visible()
    card.locator(".dl-reveal > summary").click()
    assert answer.is_visible()
    page.goto(site[0] + "book/intro.html")
    assert page.locator("img.dl-still").first.is_visible()
    assert page.locator(".katex").first.is_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, site, scheme, width):
    packages_or_skip()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    for name in (
        "intro",
        "session",
        "notation",
        "grill",
        "bank",
        "bank/examples",
        "errata",
        "api",
        "glossary",
    ):
        page.goto(f"{site[0]}book/{name}.html", wait_until="networkidle")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found], name
    context.close()


def test_the_bridge_follows_what_is_typed_and_refuses_what_means_nothing(opened):
    page = opened("book/notation.html")
    page.get_by_label("DDPM: ᾱ_t").fill("0.8")
    assert float(page.get_by_label("EDM: σ = σ_t / a_t").input_value()) == pytest.approx(0.5)
    assert float(page.get_by_label("SNR = a_t² / σ_t²", exact=True).input_value()) == pytest.approx(4)
    page.get_by_label("DDPM: ᾱ_t").fill("1.8")
    assert "1.8 is no value of" in page.locator(".dl-bridge [role=status]").inner_text()
    page.get_by_label("g = w").fill("0")
    assert page.get_by_label("w: 1 is off").input_value() == "1"


def test_the_timer_counts_down(opened):
    page = opened("book/session.html")
    page.get_by_role("button", name="Start").press("Enter")
    page.locator(".dl-face", has_text="58 s").wait_for(timeout=10_000)
    page.get_by_role("button", name="Stop").press("Enter")
    assert page.get_by_role("button", name="Start again").is_visible()


def test_the_menu_opens_on_a_phone(browser, site):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(site[0] + "book/intro.html", wait_until="networkidle")
    page.locator("button.primary-toggle").first.click()
    page.get_by_role("link", name="The grill").first.wait_for(state="visible")
    context.close()
