"""The result of marking an answer, the same for every kind of card."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from diffusion_lab.quiz.cards import Card

if TYPE_CHECKING:  # keywords are for marking; a question is shown without them
    from diffusion_lab.quiz.keywords import Span


class Score(NamedTuple):
    """How an answer did. `memory.rating(score.must, score.share, late)` makes a grade of it.

    must: every must point met, or the closed answer right. share: part of the whole, 0 to 1.
    met: each key point, or each gap, step or option, in the order of the card. verdict: a sentence.
    spans: for each key point the parts of the answer that seem to make it. slip: the named mistake, or ''.
    flags: the red flags raised, from 0. understood: False when the text could not be read: ask again.
    sure: False for open answers, where the person has the last word.
    """

    must: bool
    share: float
    met: tuple[bool, ...]
    verdict: str
    spans: "tuple[tuple[Span, ...], ...]" = ()
    slip: str = ""
    flags: tuple[int, ...] = ()
    understood: bool = True
    sure: bool = True


def unread(sentence: str) -> Score:
    """An answer that could not be read: it is no wrong answer, and is asked for again."""
    return Score(False, 0.0, (), sentence, understood=False)


def marked(card: Card, met: Sequence[bool]) -> Score:
    """The score of key points ticked by hand: a must point counts twice, a nice one once."""
    weights = [2 if point.must else 1 for point in card.points]
    share = sum(w for w, hit in zip(weights, met) if hit) / sum(weights) if weights else 1.0
    missed = [point for point, hit in zip(card.points, met) if point.must and not hit]
    count = f"{sum(met)} of {len(card.points)} points"
    verdict = f"{count}; missing: {'; '.join(p.text for p in missed)}." if missed else f"{count}."
    return Score(not missed, share, tuple(met), verdict, sure=False)
