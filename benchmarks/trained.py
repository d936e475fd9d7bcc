"""Training inside a benchmark, and what it cost."""

import time
from typing import Any, NamedTuple

from diffusion_lab.training import Trainer


class Trained(NamedTuple):
    """The averaged model, frozen; seconds by the clock, and seconds of all cores together."""

    model: Any
    seconds: float
    core_seconds: float


def trained(trainer: Trainer) -> Trained:
    """Run a trainer to its end."""
    start, used = time.perf_counter(), time.process_time()
    for _ in trainer.fit():
        pass
    spent = time.perf_counter() - start, time.process_time() - used
    return Trained(trainer.averaged.requires_grad_(False).eval(), *spent)
