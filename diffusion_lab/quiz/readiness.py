"""How ready the user is for a topic on the interview day, if nothing more is studied, and how sure that is.

    readiness(questions, answers, states, memory, interview)  -> a row per topic

A round asks every card of the topic once. Card i is recalled with chance p_i and then earns a share of its
points with mean q and variance v, estimated from m recalled answers; a card never seen earns nothing. The
model of memory gives p_i; the user's own answers shift its log odds by b, known up to an error s. A round of
n cards has

    mean     = q sum p_i / n
    variance = sum (p_i v + p_i (1 - p_i) q^2) / n^2                   what the round draws
             + (s q sum p_i (1 - p_i) / n)^2 + (sum p_i / n)^2 v / m   what is not known of the user

and 90 % of rounds lie within 1.645 standard deviations: a normal approximation, cut to 0..1, whose coverage
is tested on simulated learners.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from diffusion_lab.quiz.memory import AGAIN, Memory, State
from diffusion_lab.quiz.plan import Question
from diffusion_lab.quiz.records import Review

ENOUGH = 5
_Z90 = 1.6448536269514722
# Before any evidence, users differ from the model by about this much in log odds.
_PRIOR = 1.0
# And as if one more answer had missed the mean share of points by about a fifth.
_POINTS_PRIOR = 0.05


class Readiness(NamedTuple):
    """One topic. cards, seen, answers: counts. recall: mean chance of recall. ready: what a round would
    score, within low..high. All four are None below 5 answers: not enough data.
    """

    topic: str
    cards: int
    seen: int
    answers: int
    recall: float | None = None
    ready: float | None = None
    low: float | None = None
    high: float | None = None


class Shift(NamedTuple):
    """How this user differs from the model of memory: an addend to the log odds of recall, and its error."""

    mean: float
    error: float


def readiness(
    questions: Sequence[Question],
    answers: Sequence[Review],
    states: Mapping[str, State],
    memory: Memory,
    interview: int,
) -> list[Readiness]:
    """One row per topic, in the order of the deck."""
    own = shift(predictions(answers, memory))
    cards: dict[str, list[str]] = {}
    for card in questions:
        cards.setdefault(card.topic, []).append(card.id)
    given: dict[str, list[Review]] = {}
    for answer in answers:
        given.setdefault(answer.card_id, []).append(answer)
    rows = []
    for topic, ids in cards.items():
        told = [answer for card in ids for answer in given.get(card, [])]
        row = Readiness(topic, len(ids), sum(card in states for card in ids), len(told))
        if len(told) >= ENOUGH:
            chances = [
                _moved(memory.recall(states[card], interview), own.mean) for card in ids if card in states
            ]
            row = _estimated(row, chances, _points(told), own.error)
        rows.append(row)
    return rows


def predictions(answers: Iterable[Review], memory: Memory) -> Iterator[tuple[float, bool]]:
    """For answers a night or more after the one before: the recall that was foreseen, and whether it held."""
    states: dict[str, State] = {}
    for answer in sorted(answers, key=lambda row: (row.at_ms, row.uuid)):
        state = states.get(answer.card_id)
        if state is not None and answer.study_day > state.last_day:
            yield memory.recall(state, answer.study_day), answer.rating > AGAIN
        states[answer.card_id] = memory.review(state, answer.rating, answer.study_day, answer.card_id)


def shift(pairs: Iterable[tuple[float, bool]]) -> Shift:
    """The addend to the log odds that explains the results best, by Newton's method; prior N(0, 1)."""
    known = [(_logit(p), held) for p, held in pairs]
    b, curvature = 0.0, 1 / _PRIOR**2
    for _ in range(20):
        odds = [(_logistic(logit + b), held) for logit, held in known]
        slope = sum(held - p for p, held in odds) - b / _PRIOR**2
        curvature = sum(p * (1 - p) for p, _ in odds) + 1 / _PRIOR**2
        b += max(-1.0, min(1.0, slope / curvature))
    return Shift(b, curvature**-0.5)


def _estimated(row: Readiness, chances: Sequence[float], points: Sequence[float], error: float) -> Readiness:
    n, m = row.cards, len(points)
    # Nothing recalled yet says nothing about the points of a recalled answer.
    q = sum(points) / m if m else 1.0
    var_q = (sum((x - q) ** 2 for x in points) + _POINTS_PRIOR) / max(m, 1)
    recall = sum(chances) / n
    outcome = sum(p * var_q + p * (1 - p) * q**2 for p in chances) / n**2
    doubt = (error * sum(p * (1 - p) for p in chances) * q / n) ** 2 + recall**2 * var_q / max(m, 1)
    half, ready = _Z90 * math.sqrt(outcome + doubt), recall * q
    return row._replace(recall=recall, ready=ready, low=max(0.0, ready - half), high=min(1.0, ready + half))


def _points(answers: Sequence[Review]) -> list[float]:
    """The share of points of each card's newest recalled answer; an answer without one earned them all."""
    newest = {answer.card_id: answer for answer in answers if answer.rating > AGAIN}
    scores = [json.loads(answer.score_json).get("score") for answer in newest.values()]
    return [float(score) if isinstance(score, int | float) and 0 <= score <= 1 else 1.0 for score in scores]


def _moved(p: float, by: float) -> float:
    return _logistic(_logit(p) + by)


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
