"""Driving futures and a point mass's forces: flow matching given what is seen, and the regression that
averages."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..couplings import FlowMatching
from ..data.driving import STEPS, drives
from ..data.pointmass import HORIZON, windows
from ..grids import stratified_law
from ..models.context import ContextMLP
from ..schedules import Cosine, Flow
from ..training import Recipe
from .captions import Pairs
from .images import denoiser
from .task import Task

SEEN = 6


class Regression(nn.Module):
    """|| x_0 - net(nothing, seen) ||^2: the same network asked for the future at once. The best answer is the
    mean of all futures, wherever that lies."""

    def __init__(self, model: ContextMLP):
        super().__init__()
        self.model = model

    def forward(self, x0: Float[Tensor, "b *d"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        return (regressed(self.model, cond) - x0).square().flatten(1).mean(1)


def regressed(model: ContextMLP, seen: Float[Tensor, "b c"]) -> Float[Tensor, "b *d"]:
    """The network's one answer: it reads zeros in the place of x_t, at t = 1."""
    return model(seen.new_zeros(len(seen), *model.shape), seen.new_ones(len(seen)), seen)


def flow_task(name: str, law: Callable[..., Any], length: int, width: int, steps: int) -> Task:
    """Velocity on the straight line, for `length` pairs of numbers given six that are seen."""
    net = partial(ContextMLP, (length, 2), SEEN, width=width, depth=3)
    return Task(
        name=name,
        batches=partial(Pairs, law),
        shape=(length, 2),
        model=denoiser(net, Flow, "velocity"),
        objective=partial(FlowMatching, law=stratified_law()),
        recipe=Recipe(steps=steps, lr=3e-3),
        batch=256,
    )


def regression(task: Task, width: int) -> Task:
    """The baseline of a task."""
    net = partial(ContextMLP, task.shape, SEEN, width=width, depth=3)
    recipe = replace(task.recipe, steps=1500)
    return replace(task, name=f"{task.name}-regression", model=net, objective=Regression, recipe=recipe)


DRIVING = flow_task("driving", drives, STEPS, width=128, steps=3000)
POINTMASS = flow_task("pointmass", windows, HORIZON, width=96, steps=2500)

DRIVING_DIFFUSION = replace(
    DRIVING,
    name="driving-diffusion",
    model=denoiser(partial(ContextMLP, (STEPS, 2), SEEN, width=128, depth=3), partial(Cosine, 0.0), "v"),
)
"""The same as a diffusion model: v on the cosine path."""

TASKS: dict[str, Task] = {
    task.name: task
    for task in (DRIVING, regression(DRIVING, width=64), POINTMASS, regression(POINTMASS, width=64))
}
