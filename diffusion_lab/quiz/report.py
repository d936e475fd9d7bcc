"""How a sitting went: its answers, the sums, the worst gaps with where to read."""

import json

from diffusion_lab.quiz import progress, screens, spoken
from diffusion_lab.quiz.answered import missed_points
from diffusion_lab.quiz.cards import Card
from diffusion_lab.quiz.desk import Desk
from diffusion_lab.quiz.layout import styled
from diffusion_lab.quiz.memory import AGAIN
from diffusion_lab.quiz.records import Review
from diffusion_lab.quiz.resume import Sitting


def given(desk: Desk, sitting: Sitting) -> list[Review]:
    """The answers of a sitting that count, in order of time."""
    return [review for review in progress.answers(desk.store) if review.session == sitting.id]


def sums(desk: Desk, sitting: Sitting) -> None:
    """How the sitting went, in two lines."""
    answers = given(desk, sitting)
    if not answers:
        return
    missed = sorted({review.card_id for review in answers if review.rating == AGAIN})
    spent = sum(review.dur_ms or 0 for review in answers) / 1000
    known = len(answers) - sum(review.rating == AGAIN for review in answers)
    desk.term.rule("Done for now")
    desk.term.line(
        f"{spoken.count(len(answers), 'answer')}, {known} known, {spoken.clock(spent)} of answering."
    )
    if missed:
        desk.term.say(f"To look at again: {', '.join(missed[:6])}{' ...' if len(missed) > 6 else ''}")
    states = progress.states(desk.store)
    days = [
        state.due_day for id, state in states.items() if id in desk.deck.headings and state.due_day > desk.day
    ]
    if days:
        first = min(days)
        desk.term.line(f"Next: {spoken.count(days.count(first), 'card')} {spoken.due(first, desk.day)}.")


def share(review: Review) -> float:
    """The share of the points that an answer earned."""
    value = json.loads(review.score_json).get("score")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(0.0, min(1.0, float(value)))
    return float(review.rating > AGAIN)


def weakest(desk: Desk, reviews: list[Review]) -> None:
    """The three worst gaps: what was missed, where the book and the notebooks have it."""
    worst = sorted(
        (review for review in reviews if review.rating == AGAIN or share(review) < 1),
        key=lambda review: (review.rating, share(review)),
    )
    for number, review in enumerate(worst[:3], 1):
        card = desk.deck.find(review.card_id)
        if card is None:
            continue
        if number == 1:
            desk.term.head("The worst gaps")
        desk.term.item(f" {number}. ", styled(f"**{card.title}** ({spoken.percent(share(review))})"))
        for point in missed_texts(card, review)[:2]:
            desk.term.item("    missed: ", styled(point))
        screens.reading(desk.term, card, "    ")


def missed_texts(card: Card, review: Review) -> list[str]:
    """The key points that an answer missed, musts first."""
    met = json.loads(review.score_json).get("met")
    if not isinstance(met, list):
        return []
    missed = [card.points[number - 1] for number in missed_points(card, tuple(map(bool, met)))]
    return [point.text for point in sorted(missed, key=lambda point: not point.must)]
