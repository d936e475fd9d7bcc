"""The quiz of the built site in Chromium plans reviews as the terminal does, from the terminal's own log."""

import pytest

from diffusion_lab.book.anchors import cards
from diffusion_lab.quiz import clock, spoken
from diffusion_lab.quiz.clock import DAY_MS, Moment, study_day
from diffusion_lab.quiz.memory import Memory
from diffusion_lab.quiz.modes import due
from diffusion_lab.quiz.records import Review, stamp
from diffusion_lab.quiz.store import open_store
from diffusion_lab.quiz.transfer import exported
from tests.book.histories import NOON, studied
from tests.e2e.quizzing import (
    BANK,
    EXAMPLES,
    GRILL,
    KEY,
    answer,
    asked_of,
    card_of,
    comes,
    given_back,
    kept,
    take_in,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def study(tmp_path, monkeypatch, capsys):
    """(the log of a terminal with weeks of study, the number of cards that its `quiz due` counts)"""
    monkeypatch.setenv("DIFFUSION_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with open_store(NOON) as store:
        studied(store, sorted(cards().cards)[::3])
        text = "".join(f"{line}\n" for line in exported(store))
    due.main("due", [])
    return text, capsys.readouterr().out.strip()


@pytest.fixture
def in_berlin(browser, site):
    """Opens a page at NOON, in Berlin."""
    context = browser.new_context(timezone_id="Europe/Berlin")
    page = context.new_page()
    page.clock.set_fixed_time(NOON.at_ms / 1000)

    def open_page(name):
        page.goto(site[0] + name, wait_until="networkidle")
        return page

    yield open_page
    context.close()


def test_a_log_of_the_terminal_goes_in_and_out_and_as_many_cards_are_due(in_berlin, study):
    text, waiting = study
    page = in_berlin(BANK)
    take_in(page, text)
    page.get_by_text(f"{text.count(chr(10)) - 1} new rows.").wait_for()
    due_cards, new_cards = (int(word) for word in waiting.split() if word.isdigit())
    assert due_cards > 3
    page.get_by_text(f"{due_cards} due today, {new_cards} new.").wait_for()
    for state, count in (("due", due_cards), ("new", new_cards)):
        page.get_by_label("state").select_option(state)
        assert page.locator(".dl-bank li:visible").count() == count
    assert given_back(page) == text.encode()
    take_in(page, text)
    page.get_by_text("0 new rows.").wait_for()
    assert len(kept(page)) == text.count("\n") - 1


def test_a_card_that_was_answered_comes_back_on_the_terminals_day(in_berlin):
    page = in_berlin(EXAMPLES)
    card = card_of(page, "numeric")
    day, id = study_day(NOON), card.get_attribute("data-card")
    state = Memory().review(None, 3, day - 20, id)
    before = Review(*stamp(Moment(NOON.at_ms - 20 * DAY_MS, 60)), id, 3, "{}", None, None, "today", None, "m")
    row = {"kind": "review", **before._asdict()}
    page.evaluate("([key, row]) => localStorage.setItem(key, JSON.stringify([row]))", [KEY, row])
    answer(card_of(in_berlin(EXAMPLES), "numeric"), f"{asked_of(card).number:.9g}")
    state = Memory().review(state, 3, day, id)
    assert comes(card) == f"Good: back {spoken.due(state.due_day, day)}."
    assert state.due_day > Memory().review(None, 3, day, id).due_day, "the review that the page held counts"


def test_the_grill_shows_what_is_due_or_new_and_counts_what_is_answered(in_berlin, study):
    page = in_berlin(BANK)
    take_in(page, study[0])
    page.get_by_text("new rows.").wait_for()
    page = in_berlin(GRILL)
    desk = page.locator(".dl-desk")
    desk.get_by_text("45 cards:").wait_for()
    words = desk.get_by_role("status").inner_text().replace(",", "").split()
    due_cards, new_cards = int(words[2]), int(words[5])
    assert due_cards
    for shown, count in (("due", due_cards), ("new", new_cards), ("all", 45)):
        desk.get_by_label("Show").select_option(shown)
        page.wait_for_function(
            f"[...document.querySelectorAll('.dl-card')].filter((c) => !c.hidden).length === {count}"
        )
    desk.get_by_label("Show").select_option("due")
    page.wait_for_function("document.querySelector('.dl-card[hidden]')")
    card = page.locator(".dl-card:visible").first
    card.locator(".dl-reveal > summary").click()
    card.get_by_role("button", name="Mark what I ticked").click()
    desk.get_by_text(f"{due_cards - 1} due today").wait_for()
    assert card.is_visible()


def test_the_bank_filters_by_topic_and_level(opened):
    page = opened(BANK)
    every = list(cards().cards.values())
    page.get_by_label("topic").select_option("guidance")
    page.get_by_label("level").select_option("2")
    wanted = [card for card in every if card.topic == "guidance" and card.level == 2]
    assert page.locator(".dl-bank li:visible").count() == len(wanted)
    assert page.get_by_text(f"{len(wanted)} of {len(every)} cards").is_visible()
