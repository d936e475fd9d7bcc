"""The planner against plain FSRS, same budget of answers: mean recall of all cards on the interview day.

python -m benchmarks.quiz_plan [seeds]

Learners are simulated (FSRS-6). The plan believes the default weights; the learner has them ("as believed"),
or other weights, or forgets much faster. A card never seen counts as recall 0. "new first" is plain FSRS that
asks every new card before any due one: the comparison that is hardest for the planner.
"""

import statistics
import sys
import time
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import NamedTuple

from diffusion_lab.quiz import plan
from diffusion_lab.quiz.memory import Memory, State
from diffusion_lab.quiz.simulate import Learner, Order, study

from .machine import machine, table

OTHER = [
    0.25,
    1.1,
    2.7,
    7.1,
    6.0,
    0.9,
    2.6,
    0.01,
    1.6,
    0.19,
    0.9,
    1.3,
    0.07,
    0.3,
    1.4,
    0.5,
    1.6,
    0.5,
    0.1,
    0.08,
    0.2,
]
SCENARIOS = ((200, 14, 40), (200, 7, 40), (120, 3, 60), (200, 30, 25))
START = 20_000


class Item(NamedTuple):
    """A card of one minute, without siblings."""

    id: str
    topic: str
    level: int = 1
    time: int = 60
    group: str = ""


def learners() -> dict[str, Learner]:
    """Three learners whom the same plan must serve."""
    model = Memory()
    fast = Memory([*model.weights[:20], 0.5])
    return {
        "as believed": Learner(model, model),
        "other weights": Learner(Memory(OTHER), model),
        "forgets faster": Learner(fast, model),
    }


def orders(cards: list[Item], answers: int, interview: int, model: Memory) -> dict[str, Order]:
    """Plain FSRS, FSRS with new cards first, and the planner; each gets the same minutes."""
    seconds = 60 * answers

    def new_first(states: Mapping[str, State], day: int) -> list[str]:
        fresh = [card.id for card in plan.new(cards, states)]
        return [*fresh, *plan.today(cards, states, day, seconds, skip=fresh)][:answers]

    def planned(states: Mapping[str, State], day: int) -> list[str]:
        return plan.toward(cards, states, day, seconds, interview, model)

    return {"FSRS": partial(_plain, cards, seconds), "new first": new_first, "planner": planned}


def _plain(cards: list[Item], seconds: int, states: Mapping[str, State], day: int) -> list[str]:
    return plan.today(cards, states, day, seconds)


def trial(
    scenario: tuple[int, int, int], learner: Learner, name: str, seed: int
) -> tuple[float, int, float, int]:
    """Mean recall on the day, cards never seen, share of cards above 0.9, answers given."""
    count, days, answers = scenario
    cards, interview = [Item(f"card-{i}", f"topic-{i % 7}") for i in range(count)], START + days
    order = orders(cards, answers, interview, learner.model)[name]
    end = study(learner, order, range(START, interview), Random(seed))
    recalls = [learner.truth.recall(end.true.get(card.id), interview) for card in cards]
    return statistics.mean(recalls), recalls.count(0.0), sum(r > 0.9 for r in recalls) / count, len(end.log)


def compare(seeds: int) -> list[list[str]]:
    """One row for each scenario and learner; the gain with its standard error over seeds."""
    rows = []
    for scenario in SCENARIOS:
        for who, learner in learners().items():
            runs = {
                name: [trial(scenario, learner, name, seed) for seed in range(seeds)]
                for name in ("FSRS", "new first", "planner")
            }
            gains = [b[0] - a[0] for a, b in zip(runs["FSRS"], runs["planner"])]
            error = statistics.stdev(gains) / seeds**0.5
            row = ["/".join(map(str, scenario)), who, f"{statistics.mean(gains):+.3f} ± {error:.3f}"]
            for run in runs.values():
                recall, unseen, above, answers = (statistics.mean(values) for values in zip(*run))
                row.append(f"{recall:.3f}, {unseen:.0f} unseen, {100 * above:.0f} %, {answers:.0f}")
            rows.append(row)
    return rows


def cost(count: int = 200, rounds: int = 15) -> str:
    """Process time of one day's plan when every card was seen, in the last week."""
    memory, cards = Memory(), [Item(f"card-{i}", "topic") for i in range(count)]
    states = {card.id: memory.review(None, 1 + i % 3, START + i % 5, card.id) for i, card in enumerate(cards)}
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        plan.toward(cards, states, START + 6, 1200, START + 9, memory)
        times.append(time.process_time() - begin)
    return f"one day's plan for {count} cards: {1e3 * statistics.median(times):.0f} ms"


def main(seeds: int) -> None:
    """Prints the table and the cost."""
    header = ["cards/days/answers a day", "learner", "planner - FSRS", "FSRS", "FSRS, new first", "planner"]
    print(
        machine(),
        f"{seeds} seeds; per plan: mean recall, cards never seen, share above 0.9, answers",
        sep="\n",
    )
    print(table(header, compare(seeds)), cost(), sep="\n\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
