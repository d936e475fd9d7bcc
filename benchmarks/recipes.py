"""How long every training recipe takes on this machine: some of its steps, timed, times all of them.

    python -m benchmarks.recipes [NAME ...]        # OMP_NUM_THREADS limits the cores

The bar is 8 minutes on 4 cores. What a finished run reached stands on its model's card.
"""

import sys
import time
from itertools import islice

import torch

from diffusion_lab import zoo
from diffusion_lab.tasks import TASKS, Task, task_named

from .machine import machine, table

WARM, TIMED = 5, 25
"""Steps that are not timed, and steps that are."""


def seconds(task: Task) -> float:
    """The whole run's."""
    records = task.trainer().fit()
    for _ in islice(records, WARM):
        pass
    start = time.perf_counter()
    for _ in islice(records, TIMED):
        pass
    return (time.perf_counter() - start) / TIMED * task.recipe.steps


def row(name: str) -> list[str]:
    """Steps, time, and what the card says."""
    task = task_named(name)
    measured = zoo.card(name).measured if name in zoo.names() else {"does not ship": ""}
    reached = ", ".join(f"{key} {value}" for key, value in measured.items())
    return [name, str(task.recipe.steps), f"{seconds(task):.0f} s", reached]


def main() -> None:
    """One row per recipe."""
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    print(table(["recipe", "steps", "time", "its card"], [row(name) for name in sys.argv[1:] or TASKS]))


if __name__ == "__main__":
    main()
