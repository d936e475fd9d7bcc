"""The quiz of the built site in Chromium: asked and marked by keyboard."""

import pytest

from diffusion_lab.book.anchors import cards
from diffusion_lab.book.card import draws
from diffusion_lab.quiz.answers import score
from diffusion_lab.quiz.memory import AGAIN
from tests.e2e.quizzing import BANK, EXAMPLES, GRILL, answer, asked_of, card_of, comes, kept, told

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_choice_is_picked_by_keyboard_and_marked(opened):
    page = opened(EXAMPLES)
    card = card_of(page, "choice")
    right = next(place for place, option in enumerate(asked_of(card).options) if option.right)
    card.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    for _ in range((right + 1) % 4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert told(card) == "Wrong."
    assert comes(card) == "Again: back tomorrow."
    assert card.locator(".dl-reveal").get_attribute("open") is not None
    card.locator("input[type=radio]").nth(right).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert told(card) == "Right."


def test_numbers_are_drawn_anew_by_keyboard_as_the_terminal_draws_them(opened):
    page = opened(EXAMPLES)
    card = card_of(page, "numeric")
    first, *others = draws(cards().find(card.get_attribute("data-card")))
    assert others
    before = card.locator(".dl-asking").inner_text()
    card.locator("input").focus()
    for number, drawn in enumerate([*others, first], 2):
        button = card.get_by_role("button", name="Other numbers")
        button.focus()
        page.keyboard.press("Enter")
        assert button.evaluate("e => e === document.activeElement")
        answer(card, f"{drawn.number:.9g}")
        assert told(card).startswith("Right")
        shown = (number - 1) % (len(others) + 1) + 1
        assert card.locator(".dl-drawn").inner_text() == f"Numbers {shown} of {len(others) + 1}."
    assert len(kept(page)) == len(others) + 1
    card.get_by_role("button", name="Other numbers").press("Enter")
    assert card.locator(".dl-asking").inner_text() != before


def test_a_number_that_cannot_be_read_is_no_wrong_answer(opened):
    card = card_of(opened(EXAMPLES), "numeric")
    for typed, begins in (
        ("banana", "This is no number"),
        ("123456", "Not 1.235e+05"),
        (f"{asked_of(card).number:.6g}", "Right"),
    ):
        answer(card, typed)
        assert told(card).startswith(begins)
        assert bool(card.locator(".dl-reveal[open]").count()) == (typed != "banana")


def test_a_named_slip_is_told_with_its_own_sentence(opened):
    card = card_of(opened(EXAMPLES), "formula")
    asked = asked_of(card)
    mistake = asked.card.mistakes[0]
    answer(card, mistake.value)
    assert mistake.message in told(card)
    assert score(asked, mistake.value).slip == mistake.message


def test_steps_move_by_keyboard(opened):
    card = card_of(opened(EXAMPLES), "order")
    asked = asked_of(card)
    wanted = sorted(range(len(asked.steps)), key=lambda place: asked.steps[place].rank)
    for place, step in enumerate(wanted):
        item = card.locator(f'li[data-place="{step}"]')
        while int(item.evaluate("e => [...e.parentNode.children].indexOf(e)")) > place:
            item.get_by_role("button", name="Move up").press("Enter")
    card.get_by_role("button", name="Check").press("Enter")
    assert told(card) == "Right."


def test_open_cards_are_marked_by_ticks_and_new_ticks_replace_the_old(opened):
    page = opened(EXAMPLES)
    card = card_of(page, "open")
    card.locator(".dl-reveal > summary").press("Enter")
    boxes = card.locator(".dl-points input")
    mark = card.get_by_role("button", name="Mark what I ticked")
    mark.press("Enter")
    assert comes(card) == "Again: back tomorrow."
    for k in range(boxes.count()):
        boxes.nth(k).press("Space")
    mark.press("Enter")
    assert told(card) == f"{boxes.count()} of {boxes.count()} points."
    card.get_by_text("Good: back in 2 days").wait_for()
    assert [(row["rating"], row["undone"]) for row in kept(page)] == [(1, 1), (3, 0)]
    opened(BANK).get_by_label("state").select_option("known")
    assert page.locator(".dl-bank li:visible").count() == 1


def test_an_answer_that_was_given_after_the_answer_was_shown_is_not_kept(opened):
    page = opened(EXAMPLES)
    card = card_of(page, "formula")
    card.locator(".dl-reveal > summary").click()
    answer(card, asked_of(card).card.body.answer)
    assert told(card) == "Right."
    assert comes(card) == "Not kept: the answer was shown before."
    other = card_of(page, "numeric")
    for typed in ("123456", f"{asked_of(other).number:.6g}"):
        answer(other, typed)
    assert [row["rating"] for row in kept(page)] == [AGAIN]


def test_the_grill_holds_the_forty_five_in_order(opened):
    page = opened(GRILL)
    shown = [int(card.get_attribute("data-grill")) for card in page.locator(".dl-card").all()]
    assert shown == sorted(card.grill for card in cards().cards.values() if card.grill)
