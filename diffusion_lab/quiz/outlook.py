"""What a plan comes to: the expected recall on the interview day, by following it on a simulated learner."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from diffusion_lab.quiz import plan
from diffusion_lab.quiz.memory import Memory, State
from diffusion_lab.quiz.plan import Question
from diffusion_lab.quiz.simulate import Learner, study

# Beyond this many days the last stretch decides, and a forecast would only take longer.
HORIZON = 60
_SEED = 0


class Outlook(NamedTuple):
    """Mean recall over all cards on the day: without another answer, with the plan, with twice its minutes.

    unseen: cards that the plan never reaches.
    """

    stop: float
    keep: float
    double: float
    unseen: int


def outlook(
    cards: Sequence[Question],
    states: Mapping[str, State],
    memory: Memory,
    today: int,
    interview: int,
    minutes: int,
) -> Outlook:
    """One simulated learner per pace; the same seed each time, so the same state gives the same numbers."""

    def followed(pace: int) -> dict[str, State]:
        def order(known: Mapping[str, State], day: int) -> list[str]:
            return plan.toward(cards, known, day, 60 * pace, interview, memory)

        days = range(max(today, interview - HORIZON), interview)
        return study(Learner(memory, memory), order, days, Random(_SEED), states).true

    kept, twice = followed(minutes), followed(2 * minutes)
    return Outlook(
        plan.mean_recall(cards, states, memory, interview),
        plan.mean_recall(cards, kept, memory, interview),
        plan.mean_recall(cards, twice, memory, interview),
        sum(card.id not in kept for card in cards),
    )
