"""How each few-step method is trained on a law in the plane: the recipes behind `few_steps.py`.

Each answers with a walk: the number of model calls -> the steps from one and the same noise to samples.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from diffusion_lab import grids, zoo
from diffusion_lab.couplings import FlowMatching, Reflow, minibatch_ot, pair_batches, reflow_pairs
from diffusion_lab.data import Share, training_batches
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.distill import Consistency, Halving
from diffusion_lab.meanflow import MeanFlow
from diffusion_lab.models.flowmap import FlowMapMLP
from diffusion_lab.samplers import Step, consistency, ddim, dpmpp_2m, euler
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks import TASKS
from diffusion_lab.tasks.few_steps import mean_flow
from diffusion_lab.training import Batches, Recipe, Trainer

from .trained import Trained, trained

CALLS = (1, 2, 4, 8, 16)
BATCH, POINTS, PAIRS = 256, 10_000, 20_000

Walk = Callable[[int], Iterator[Step]]
"""Number of model calls -> a walk from the same noise."""


class Lesson:
    """The shipped flow model of a law, the noise that all samples start from, and what was spent."""

    def __init__(self, data: str):
        self.data, self.teacher = data, zoo.denoiser(data)
        self.noise = torch.randn(POINTS, 2, generator=rng_at("few steps", 0, 0))
        self.steps, self.seconds = 0, 0.0

    def student(self) -> Denoiser:
        """A copy of the teacher that may learn."""
        return copy.deepcopy(self.teacher).requires_grad_(True).train()

    def fit(self, objective: nn.Module, steps: int, lr: float, batches: Batches | None = None) -> Any:
        """The averaged model of a student."""
        batches = batches or training_batches(self.data, Share(BATCH), 1)
        return self.counted(Trainer(objective, batches, Recipe(steps, lr=lr, ema=0.99)))

    def counted(self, trainer: Trainer) -> Any:
        """The averaged model, with its steps and seconds on the bill."""
        result: Trained = trained(trainer)
        self.steps, self.seconds = self.steps + trainer.recipe.steps, self.seconds + result.seconds
        return result.model


def plain(lesson: Lesson, sampler: Callable[..., Iterator[Step]]) -> Walk:
    """The teacher itself."""
    return lambda n: sampler(lesson.teacher, lesson.noise, grids.uniform(n))


def transported(lesson: Lesson) -> Walk:
    """Flow matching with minibatch optimal transport: the teacher's network and recipe, in half its steps."""
    task = TASKS[lesson.data]
    batches = training_batches(lesson.data, Share(BATCH), 1)
    objective = FlowMatching(task.untrained(), grids.stratified_law(), minibatch_ot)
    model = lesson.counted(Trainer(objective, batches, Recipe(3000, lr=task.recipe.lr)))
    return lambda n: euler(model, lesson.noise, grids.uniform(n))


def reflowed(lesson: Lesson) -> Walk:
    """One round of reflow, on pairs of 100 Euler steps."""
    noise = torch.randn(PAIRS, 2, generator=rng_at("reflow", 0, 0))
    batches = pair_batches(reflow_pairs(lesson.teacher, noise, grids.uniform(100)), BATCH)
    model = lesson.fit(Reflow(lesson.student(), grids.stratified_law()), 2000, 1e-3, batches)
    return lambda n: euler(model, lesson.noise, grids.uniform(n))


class ToTheEnd(nn.Module):
    """A network of two times, asked for s = 0 alone: what a consistency model is. Its waves of t are slow."""

    def __init__(self) -> None:
        super().__init__()
        self.both = FlowMapMLP((2,), width=64, depth=3)

    def forward(self, x: torch.Tensor, t: torch.Tensor, cond: Any = None) -> torch.Tensor:
        return self.both(x, t, torch.zeros_like(t))


def to_the_end(lesson: Lesson) -> Denoiser:
    """A student that starts from nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Denoiser(ToTheEnd(), lesson.teacher.process, "velocity")


def finer_near_data(n: int) -> torch.Tensor:
    """Squares of equal steps. The interval that ends at the data teaches the mean over all that its noise
    hides, so that noise must be small beside a mode's width."""
    return grids.uniform(n) ** 2


def consistent(
    lesson: Lesson,
    taught: bool = True,
    intervals: tuple[int, ...] = (10,),
    grid: Callable[[int], torch.Tensor] = finer_near_data,
    student: Callable[[Lesson], Denoiser] = to_the_end,
) -> Walk:
    """A consistency model, taught by the teacher or by data alone, on grids refined from stage to stage."""
    model, teacher = student(lesson), lesson.teacher if taught else None
    for n in intervals:
        objective = Consistency(model.requires_grad_(True).train(), grid(n), teacher)
        model = lesson.fit(objective, 4000 // len(intervals), 2e-3)
    return lambda n: consistency(model, lesson.noise, grids.uniform(n), rng=rng_at("again", 0, n))


def halved(lesson: Lesson) -> Walk:
    """Progressive distillation: a student of 16 steps, then of 8, 4, 2 and 1."""
    students, teacher = {}, lesson.teacher
    for n in sorted(CALLS, reverse=True):
        student = copy.deepcopy(teacher).requires_grad_(True).train()
        students[n] = teacher = lesson.fit(Halving(student, teacher, grids.uniform(n)), 500, 1e-3)
    return lambda n: ddim(students[n], lesson.noise, grids.uniform(n))


def averaged(lesson: Lesson, power: float = 0.5) -> Walk:
    """MeanFlow, from nothing: half the steps of the shipped model."""
    task = mean_flow(lesson.data)
    objective = partial(MeanFlow, law=grids.uniform_law(0.0), power=power)
    recipe = replace(task.recipe, steps=5000)
    model = lesson.counted(replace(task, objective=objective, recipe=recipe).trainer())
    return lambda n: euler(model.on(grids.uniform(n)), lesson.noise, grids.uniform(n))


Method = Callable[[Lesson], Walk]

METHODS: dict[str, Method] = {
    "flow, Euler": partial(plain, sampler=euler),
    "flow, DPM-Solver++(2M)": partial(plain, sampler=dpmpp_2m),
    "minibatch-OT flow, Euler": transported,
    "reflow, Euler": reflowed,
    "consistency distillation": consistent,
    "consistency training": partial(consistent, taught=False, intervals=(10, 20, 40)),
    "progressive distillation": halved,
    "MeanFlow": averaged,
}

WHY: dict[str, Method] = {
    "consistency distillation, equal intervals": partial(consistent, grid=grids.uniform),
    "consistency distillation, 40 intervals": partial(consistent, intervals=(40,)),
    "consistency distillation, the teacher's network": partial(consistent, student=Lesson.student),
    "MeanFlow, squared error (p = 0)": partial(averaged, power=0.0),
    "MeanFlow, p = 1": partial(averaged, power=1.0),
}
"""The same with one choice changed."""
