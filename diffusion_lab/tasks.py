"""What can be trained by name: data, network, path, target and recipe in one place.

A task is everything that a shipped weight file depends on; `zoo.py` keeps the results.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .coefficients import Schedule
from .data import Batches as Epochs
from .data import Share, class_names, load_folder, training_batches
from .denoisers import Denoiser
from .errors import lookup
from .grids import Law, logit_normal_law, stratified_law, uniform_law
from .models import MLP, UNet
from .processes import Gaussian
from .schedules import Flow, Table
from .training import Alone, Batches, Fleet, Objective, Recipe, Trainer


@dataclass(frozen=True)
class Task:
    """A model from its data to its denoiser."""

    name: str
    batches: Callable[[Share, int, torch.device], Batches]
    shape: tuple[int, ...]
    net: Callable[[], nn.Module]
    schedule: Callable[[], Schedule]
    target: str
    law: Callable[[], Law]
    recipe: Recipe
    batch: int
    n_classes: int = 0
    drop: float = 0.0

    @property
    def null(self) -> int:
        """The label for "no condition"."""
        return self.n_classes

    def denoiser(self) -> Denoiser:
        """The untrained model; its weights depend on the recipe's seed alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return Denoiser(self.net(), Gaussian(self.schedule()), self.target)

    def trainer(self, fleet: Fleet | None = None) -> Trainer:
        """Ready to fit."""
        fleet = fleet or Alone()
        objective = Objective(self.denoiser(), self.law(), drop=self.drop, null=self.null)
        share = Share(self.batch * fleet.num_processes, fleet.process_index, fleet.num_processes)
        return Trainer(objective, self.batches(share, self.recipe.seed, fleet.device), self.recipe, fleet)


def toy(name: str) -> Task:
    """A law in the plane: velocity on the straight line."""
    return Task(
        name=name,
        batches=partial(training_batches, name),
        shape=(2,),
        net=lambda: MLP((2,), width=128, depth=4),
        schedule=Flow,
        target="velocity",
        law=stratified_law,
        recipe=Recipe(steps=6000, lr=2e-3),
        batch=512,
    )


DIGITS = Task(
    name="digits",
    batches=partial(training_batches, "digits"),
    shape=(1, 8, 8),
    net=lambda: UNet(1, channels=24, multipliers=(1, 2), blocks=1, attention=(1,), n_classes=10),
    schedule=Flow,
    target="velocity",
    law=logit_normal_law,
    recipe=Recipe(steps=2500, lr=4e-3),
    batch=64,
    n_classes=10,
    drop=0.1,
)

TASKS: dict[str, Task] = {
    **{name: toy(name) for name in ("moons", "swiss_roll", "checkerboard", "rings", "gauss8")},
    "digits": DIGITS,
    "digits-eps": replace(DIGITS, name="digits-eps", schedule=Table.linear, target="eps", law=uniform_law),
}


def folder_task(path: Path, size: int) -> Task:
    """Any folder of images, with its sub-folders as classes: a UNet of three levels at size x size, in
    colour."""
    if size % 4 or size < 8:
        raise ValueError(
            f"images of {size} pixels: this network halves them twice, give a multiple of 4 from 8 on."
        )
    classes = class_names(path)

    def batches(share: Share, seed: int, device: torch.device) -> Batches:
        x, labels = load_folder(path, size)
        return Epochs(x.to(device), None if labels is None else labels.to(device), share, seed)

    return Task(
        name=path.resolve().name,
        batches=batches,
        shape=(3, size, size),
        net=partial(UNet, 3, channels=32, multipliers=(1, 2, 2), attention=(2,), n_classes=len(classes)),
        schedule=Flow,
        target="velocity",
        law=logit_normal_law,
        recipe=Recipe(steps=20_000),
        batch=64,
        n_classes=len(classes),
        drop=0.1 if classes else 0.0,
    )


def task_named(name: str, **changes: Any) -> Task:
    """The task of that name, with some of its recipe changed."""
    task = lookup(name, TASKS, "task")
    return replace(task, recipe=replace(task.recipe, **changes))
