"""Quality against model calls, for every few-step method on the same data and the same budget.

    python -m benchmarks.few_steps              # --data checkerboard, --steps 6000

Sliced 2-Wasserstein distance of 2,000 samples to 2,000 fresh points; the floor is that between two fresh
sets. All networks are MLPs of one width and depth. Teacher and starting point: the shipped flow model of that
law. Optimal-transport flow and MeanFlow start from nothing; every method trains `steps` steps of 256 points,
and progressive distillation divides them among its rounds.
"""

import argparse
import copy
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from diffusion_lab import grids, zoo
from diffusion_lab.couplings import FlowMatching, Reflow, minibatch_ot, pair_batches, reflow_pairs
from diffusion_lab.data import Share, load, training_batches
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.distill import Consistency, Halving
from diffusion_lab.meanflow import FlowMap, MeanFlow
from diffusion_lab.metrics.points import sliced_wasserstein
from diffusion_lab.models import MLP
from diffusion_lab.models.flowmap import FlowMapMLP
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import Step, consistency, ddim, dpmpp_2m, euler, final
from diffusion_lab.schedules import Flow
from diffusion_lab.seeds import rng_at
from diffusion_lab.training import Batches, Recipe, Trainable, Trainer

from .machine import machine, table

CALLS = (1, 2, 4, 8, 16)
INTERVALS = 10
BATCH, POINTS, PAIRS = 256, 2000, 10_000

Walk = Callable[[int], Iterator[Step]]
"""Number of model calls -> a walk from the same noise."""


class Lesson:
    """The shipped teacher of a law, its data, and a budget of steps."""

    def __init__(self, data: str, steps: int):
        self.teacher, self.steps = zoo.denoiser(data), steps
        self.batches: Batches = training_batches(data, Share(BATCH), 1)
        self.noise = torch.randn(POINTS, 2, generator=rng_at("few steps", 0, 0))
        self.real, self.other = (load(data, split)[0][:POINTS] for split in ("test", "train"))

    def student(self) -> Denoiser:
        """A copy of the teacher that may learn."""
        return copy.deepcopy(self.teacher).requires_grad_(True).train()

    def fit(self, objective: Trainable, steps: int, lr: float, batches: Batches | None = None) -> Any:
        """The averaged model."""
        trainer = Trainer(objective, batches or self.batches, Recipe(steps, lr=lr, ema=0.99))
        for _ in trainer.fit():
            pass
        return trainer.averaged.requires_grad_(False).eval()

    def distance(self, walk: Iterator[Step]) -> float:
        """To fresh data."""
        with torch.no_grad():
            return sliced_wasserstein(self.real, final(walk))


def plain(lesson: Lesson, sampler: Callable[..., Iterator[Step]]) -> Walk:
    """The teacher itself."""
    return lambda n: sampler(lesson.teacher, lesson.noise, grids.uniform(n))


def transported(lesson: Lesson) -> Walk:
    """Flow matching with minibatch optimal transport, from nothing."""
    torch.manual_seed(0)
    model = Denoiser(MLP((2,), width=128, depth=4), Gaussian(Flow()), "velocity")
    model = lesson.fit(FlowMatching(model, grids.stratified_law(), minibatch_ot), lesson.steps, 2e-3)
    return lambda n: euler(model, lesson.noise, grids.uniform(n))


def reflowed(lesson: Lesson) -> Walk:
    """One round of reflow on pairs of 25 Euler steps."""
    noise = torch.randn(PAIRS, 2, generator=rng_at("reflow", 0, 0))
    batches = pair_batches(reflow_pairs(lesson.teacher, noise, grids.uniform(25)), BATCH)
    model = lesson.fit(Reflow(lesson.student(), grids.stratified_law()), lesson.steps, 1e-3, batches)
    return lambda n: euler(model, lesson.noise, grids.uniform(n))


def consistent(lesson: Lesson, taught: bool) -> Walk:
    """A consistency model, started from the teacher and taught by it or by data alone."""
    teacher = lesson.teacher if taught else None
    model = lesson.fit(Consistency(lesson.student(), grids.uniform(INTERVALS), teacher), lesson.steps, 1e-3)
    return lambda n: consistency(model, lesson.noise, grids.uniform(n), rng=rng_at("again", 0, n))


def halved(lesson: Lesson) -> Walk:
    """Progressive distillation: a student of 16 steps, then of 8, 4, 2 and 1."""
    students, teacher = {}, lesson.teacher
    for n in sorted(CALLS, reverse=True):
        student = copy.deepcopy(teacher).requires_grad_(True).train()
        objective = Halving(student, teacher, grids.uniform(n))
        students[n] = teacher = lesson.fit(objective, lesson.steps // len(CALLS), 1e-3)
    return lambda n: ddim(students[n], lesson.noise, grids.uniform(n))


def averaged(lesson: Lesson) -> Walk:
    """MeanFlow, from nothing."""
    torch.manual_seed(0)
    flow_map = FlowMap(FlowMapMLP((2,), width=128, depth=4))
    model = lesson.fit(MeanFlow(flow_map, grids.uniform_law(0.0)), lesson.steps, 2e-3)
    return lambda n: euler(model.on(grids.uniform(n)), lesson.noise, grids.uniform(n))


METHODS: dict[str, Callable[[Lesson], Walk]] = {
    "flow, Euler": partial(plain, sampler=euler),
    "flow, DPM-Solver++(2M)": partial(plain, sampler=dpmpp_2m),
    "minibatch-OT flow, Euler": transported,
    "reflow, Euler": reflowed,
    "consistency distillation": partial(consistent, taught=True),
    "consistency training": partial(consistent, taught=False),
    "progressive distillation": halved,
    "MeanFlow": averaged,
}


def chart(lesson: Lesson) -> Iterator[list[str]]:
    """One row per method, as it is ready."""
    for name, make in METHODS.items():
        start = time.perf_counter()
        walk = make(lesson)
        seconds = time.perf_counter() - start
        yield [name, *[f"{lesson.distance(walk(n)):.3f}" for n in CALLS], f"{seconds:.0f}"]


def main() -> None:
    """Print the chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="moons", help="a toy with a shipped model")
    parser.add_argument("--steps", type=int, default=1200, help="of training, for every method")
    asked = parser.parse_args()
    lesson = Lesson(asked.data, asked.steps)
    print(f"{machine()}, {torch.get_num_threads()} threads; {asked.data}, {asked.steps} training steps")
    print(f"floor {sliced_wasserstein(lesson.real, lesson.other):.3f}\n")
    rows = []
    for row in chart(lesson):
        rows.append(row)
        print(*row, sep="  ", flush=True)
    print("\n" + table(["distance at model calls", *map(str, CALLS), "seconds"], rows))


if __name__ == "__main__":
    main()
