"""The built study site in Chromium: no other host is asked, no page errs, and the live parts live."""

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import Error

from diffusion_lab.book.anchors import cards
from diffusion_lab.book.node import BOOK
from diffusion_lab.quiz.answers import score
from diffusion_lab.quiz.asked import ask
from diffusion_lab.quiz.clock import Moment
from diffusion_lab.quiz.loglines import HEADER, as_line, gather
from diffusion_lab.quiz.records import Review, stamp
from diffusion_lab.setup.steps import ROOT
from tests.book.skips import packages_or_skip

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = BOOK / "node_modules/axe-core/axe.min.js"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A quick build, in which no notebook runs. BOOK_SITE names a finished one instead."""
    if "BOOK_SITE" in os.environ:
        folder = Path(os.environ["BOOK_SITE"])
    else:
        packages_or_skip()
        out = tmp_path_factory.mktemp("book")
        command = [sys.executable, "-m", "diffusion_lab.book.build", "--quick", "--out", str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
        assert not done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
        folder = out / "_build/html"
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()


@pytest.fixture
def opened(page, site):
    """Opens a page of the site and waits until its parts are alive."""

    def open_page(name):
        page.goto(site[0] + name, wait_until="networkidle")
        return page

    return open_page


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
    base, folder = site
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in pages(folder)}
    places = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in texts.items()}
    broken = []
    for name, text in texts.items():
        for link in re.findall(r'<a[^>]*\bhref="([^"]+)"', text):
            if link.startswith(("http", "mailto:", "data:")):
                continue
            target, place = urldefrag(urljoin(base + name, link))
            path = target.removeprefix(base) or "index.html"
            if not (folder / path).is_file() or (place and path in places and place not in places[path]):
                broken.append((name, link))
    assert not broken


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


def card_of(page, kind):
    return page.locator(f'.dl-card[data-kind="{kind}"]').first


def told(card):
    return card.locator(".dl-verdict").inner_text()


def test_a_choice_is_picked_by_keyboard_and_marked(opened):
    card = card_of(opened("book/bank/examples.html"), "choice")
    asked = ask(cards().find(card.get_attribute("data-card")), 1)
    right = next(place for place, option in enumerate(asked.options) if option.right)
    card.locator("input[type=radio]").nth((right + 1) % 4).check()
    card.get_by_role("button", name="Check").press("Enter")
    assert told(card) == "Wrong."
    assert card.locator(".dl-reveal").get_attribute("open") is not None
    card.locator("input[type=radio]").nth(right).focus()
    card.locator("input[type=radio]").nth(right).press("Space")
    card.get_by_role("button", name="Check").press("Enter")
    assert told(card) == "Right."


def test_a_number_that_cannot_be_read_is_no_wrong_answer(opened):
    card = card_of(opened("book/bank/examples.html"), "numeric")
    asked = ask(cards().find(card.get_attribute("data-card")), 1)
    for typed, begins in (
        ("banana", "This is no number"),
        ("123456", "Not 1.235e+05"),
        (f"{asked.number:.6g}", "Right"),
    ):
        card.locator("input").fill(typed)
        card.locator("input").press("Enter")
        assert told(card).startswith(begins)
        assert bool(card.locator(".dl-reveal[open]").count()) == (typed != "banana")


def test_a_named_slip_is_told_with_its_own_sentence(opened):
    card = card_of(opened("book/bank/examples.html"), "formula")
    asked = ask(cards().find(card.get_attribute("data-card")), 1)
    mistake = asked.card.mistakes[0]
    card.locator("input").fill(mistake.value)
    card.locator("input").press("Enter")
    assert mistake.message in told(card)
    assert score(asked, mistake.value).slip == mistake.message


def test_steps_move_by_keyboard(opened):
    card = card_of(opened("book/bank/examples.html"), "order")
    asked = ask(cards().find(card.get_attribute("data-card")), 1)
    wanted = sorted(range(len(asked.steps)), key=lambda place: asked.steps[place].rank)
    for place, step in enumerate(wanted):
        item = card.locator(f'li[data-place="{step}"]')
        while int(item.evaluate("e => [...e.parentNode.children].indexOf(e)")) > place:
            item.get_by_role("button", name="Move up").press("Enter")
    card.get_by_role("button", name="Check").press("Enter")
    assert told(card) == "Right."


def test_open_cards_are_marked_by_the_points_that_are_ticked_and_remembered(opened):
    page = opened("book/bank/examples.html")
    card = card_of(page, "open")
    card.locator(".dl-reveal > summary").press("Enter")
    boxes = card.locator(".dl-points input")
    for k in range(boxes.count()):
        boxes.nth(k).check()
    card.get_by_role("button", name="Mark what I ticked").click()
    assert told(card) == f"{boxes.count()} of {boxes.count()} points."
    (kept,) = json.loads(page.evaluate("localStorage.getItem('diffusion-lab/log/1')"))
    assert kept["card_id"] == card.get_attribute("data-card")
    assert kept["rating"] == 3
    opened("book/bank.html").get_by_label("state").select_option("known")
    assert page.locator(".dl-bank li:visible").count() == 1


def test_a_log_of_the_terminal_is_imported_and_exported_again(opened, tmp_path):
    at = Moment(1_790_000_000_000, 60)
    row = Review(*stamp(at)[:5], "cfg-law", 1, "{}", None, None, "session", None, "model")
    log = tmp_path / "log.jsonl"
    log.write_text(f"{HEADER}\n{as_line(row)}\n")
    page = opened("book/bank.html")
    page.get_by_label("Import").set_input_files(log)
    page.get_by_text("1 rows were new.").wait_for()
    page.get_by_label("Import").set_input_files({"name": "x.jsonl", "mimeType": "", "buffer": b"not a log"})
    page.get_by_text("Line 1 cannot be read").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    found = gather(Path(download.value.path()).read_bytes().splitlines(), at.at_ms)
    assert not found.faults
    assert list(found.rows.values()) == [row]


def test_the_bank_filters_by_topic_and_level(opened):
    page = opened("book/bank.html")
    every = list(cards().cards.values())
    page.get_by_label("topic").select_option("guidance")
    page.get_by_label("level").select_option("2")
    wanted = [card for card in every if card.topic == "guidance" and card.level == 2]
    assert page.locator(".dl-bank li:visible").count() == len(wanted)
    assert page.locator(".dl-bank > [role=status]").inner_text() == f"{len(wanted)} of {len(every)} cards"


def test_the_grill_holds_the_forty_five_in_order(opened):
    page = opened("book/grill.html")
    shown = [int(card.get_attribute("data-grill")) for card in page.locator(".dl-card").all()]
    assert shown == sorted(card.grill for card in cards().cards.values() if card.grill)


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


def test_without_storage_the_quiz_goes_on(page, site):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
    )
    page.goto(site[0] + "book/bank/examples.html", wait_until="networkidle")
    card = card_of(page, "numeric")
    card.locator("input").fill("123456")
    card.locator("input").press("Enter")
    assert told(card).startswith("Not")
    page.errors.clear()  # the theme reads localStorage unguarded


def test_the_menu_opens_on_a_phone(browser, site):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(site[0] + "book/intro.html", wait_until="networkidle")
    page.locator("button.primary-toggle").first.click()
    page.get_by_role("link", name="The grill").first.wait_for(state="visible")
    context.close()
