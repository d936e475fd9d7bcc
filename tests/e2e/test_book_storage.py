"""What goes wrong with the quiz in the page is said in a sentence, and the page works on: real Chromium."""

import pytest

from diffusion_lab.quiz.clock import Moment
from diffusion_lab.quiz.loglines import HEADER, as_line
from diffusion_lab.quiz.records import Review, stamp
from tests.e2e.quizzing import (
    BANK,
    EXAMPLES,
    KEY,
    answer,
    asked_of,
    card_of,
    comes,
    given_back,
    kept,
    take_in,
    told,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLAIN = Review(*stamp(Moment(1_790_000_000_000, 60)), "cfg-law", 1, "{}", None, None, "session", None, "m")
LOG = f"{HEADER}\n{as_line(PLAIN)}\n"
FILL = """
for (let size = 2e6; size >= 1; size /= 2) {
  try { for (;;) localStorage["x" + Math.random()] = "x".repeat(size); } catch {}
}
"""


def test_without_ts_fsrs_the_page_says_so_and_marks(opened, page):
    page.route("**/ts-fsrs.mjs", lambda route: route.abort())
    card = card_of(opened(EXAMPLES), "numeric")
    answer(card, f"{asked_of(card).number:.6g}")
    assert told(card).startswith("Right")
    assert comes(card) == "Good."
    page.get_by_text("The plan of reviews could not be loaded").wait_for()
    assert len(kept(page)) == 1


FORBIDDEN = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (FORBIDDEN, "This browser lets the page keep nothing"),
        (FULL, "This browser's storage is full"),
        (
            "localStorage.setItem('diffusion-lab/log/2', '{}')",
            "A newer version of this site has kept your answers",
        ),
    ],
    ids=["none", "full", "newer"],
)
def test_where_nothing_can_be_kept_the_quiz_goes_on_and_says_so(page, site, script, said):
    page.add_init_script(script)
    page.goto(site[0] + EXAMPLES, wait_until="networkidle")
    card = card_of(page, "numeric")
    answer(card, "123456")
    assert told(card).startswith("Not")
    assert comes(card).startswith("Again: back tomorrow.")
    assert said in comes(card)
    page.goto(site[0] + BANK, wait_until="networkidle")
    take_in(page, LOG)
    page.locator(".dl-record").get_by_text(said).wait_for()
    page.get_by_label("topic").select_option("guidance")
    assert page.locator(".dl-bank li:visible").count()
    page.errors.clear()  # the theme reads localStorage unguarded


def test_a_full_storage_of_the_browser_itself_loses_nothing(opened):
    page = opened(EXAMPLES)
    card = card_of(page, "numeric")
    answer(card, "123456")
    comes(card)
    page.evaluate(FILL)
    card.get_by_role("button", name="Other numbers").click()
    answer(card, "123456")
    assert "storage is full" in comes(card)
    assert len(kept(page)) == 1


@pytest.mark.parametrize("broken", ["{not json", "[1, {}]"])
def test_a_damaged_storage_is_set_aside(opened, broken):
    page = opened(EXAMPLES)
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, broken])
    page = opened(EXAMPLES)
    page.locator(".dl-desk").get_by_text("could not be read; it was set aside").wait_for()
    answer(card_of(page, "numeric"), "123456")
    assert comes(card_of(page, "numeric")) == "Again: back tomorrow."
    assert len(kept(page)) == 1
    assert page.evaluate(f"localStorage.getItem('{KEY}/damaged/1')") == broken


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (b"not a log", "Line 1 cannot be read"),
        (LOG.encode()[:-9], "Line 2 cannot be read"),
        (f"{HEADER}\n{as_line(PLAIN._replace(rating=7))}\n".encode(), "Line 2 is no row of the log"),
        (b"\xff\xfe\x00", "The file is no text"),
        (HEADER.replace("1}", "2}").encode(), "The log has version 2"),
    ],
    ids=["other", "cut", "wrong", "binary", "newer"],
)
def test_a_corrupted_log_is_refused_as_a_whole_with_one_sentence(opened, log, said):
    page = opened(BANK)
    take_in(page, LOG)
    page.get_by_text("1 new row.").wait_for()
    page.get_by_label("Import").set_input_files({"name": "x.jsonl", "mimeType": "", "buffer": log})
    box = page.locator(".dl-record [role=status]")
    page.locator(".dl-record").get_by_text(said).wait_for()
    assert box.inner_text().endswith("nothing was imported.")
    assert len(kept(page)) == 1
    assert given_back(page) == LOG.encode()
