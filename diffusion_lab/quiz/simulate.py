"""A learner made of FSRS-6: what a plan is worth before anyone has followed it.

    study(learner, order, days, random)  -> the states that the learner really has at the end

The learner has a true memory; the plan sees only the grades and its own model of memory.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from diffusion_lab.quiz.memory import AGAIN, GOOD, HARD, Memory, State

# A plan: what it knows and the study day -> card ids to ask on that day.
Order = Callable[[Mapping[str, State], int], list[str]]


class Learner(NamedTuple):
    """truth: how the learner forgets. model: what the plan believes. first: chances of Again, Hard and Good
    at the first answer to a card. hard: share of Hard among later answers that succeed.
    """

    truth: Memory
    model: Memory
    first: tuple[float, float, float] = (0.4, 0.15, 0.45)
    hard: float = 0.15


class Given(NamedTuple):
    """One answer of the simulated learner."""

    day: int
    card: str
    grade: int


class Studied(NamedTuple):
    """States by the learner's true memory and by the plan's model, and the answers in order."""

    true: dict[str, State]
    believed: dict[str, State]
    log: list[Given]


def study(
    learner: Learner, order: Order, days: range, random: Random, states: Mapping[str, State] | None = None
) -> Studied:
    """Follows a plan day by day. states: where plan and learner start (default: nothing was ever seen)."""
    end = Studied(dict(states or {}), dict(states or {}), [])
    for day in days:
        for card in order(end.believed, day):
            grade = _grade(learner, end.true.get(card), day, random)
            end.true[card] = learner.truth.review(end.true.get(card), grade, day, card)
            end.believed[card] = learner.model.review(end.believed.get(card), grade, day, card)
            end.log.append(Given(day, card, grade))
    return end


def _grade(learner: Learner, state: State | None, day: int, random: Random) -> int:
    if state is None:
        return random.choices((AGAIN, HARD, GOOD), learner.first)[0]
    if random.random() >= learner.truth.recall(state, day):
        return AGAIN
    return HARD if random.random() < learner.hard else GOOD
