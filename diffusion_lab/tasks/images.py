"""Points in the plane and images: Gaussian diffusion with an MLP or a UNet."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from ..coefficients import Schedule
from ..data import Batches as Epochs
from ..data import Share, class_names, load_folder, training_batches
from ..denoisers import Denoiser
from ..grids import logit_normal_law, stratified_law, uniform_law
from ..models import MLP, UNet
from ..processes import Gaussian
from ..schedules import Flow, Table
from ..training import Batches, Objective, Recipe
from .task import Task


def denoiser(
    net: Callable[[], nn.Module], schedule: Callable[[], Schedule], target: str
) -> Callable[[], Denoiser]:
    """How to build a network that answers with `target` on the path of `schedule`."""
    return lambda: Denoiser(net(), Gaussian(schedule()), target)


def toy(name: str) -> Task:
    """A law in the plane: velocity on the straight line."""
    return Task(
        name=name,
        batches=partial(training_batches, name),
        shape=(2,),
        model=denoiser(partial(MLP, (2,), width=128, depth=4), Flow, "velocity"),
        objective=partial(Objective, law=stratified_law()),
        recipe=Recipe(steps=6000, lr=2e-3),
        batch=512,
    )


small_unet = partial(UNet, 1, channels=24, multipliers=(1, 2), blocks=1, attention=(1,), n_classes=10)

DIGITS = Task(
    name="digits",
    batches=partial(training_batches, "digits"),
    shape=(1, 8, 8),
    model=denoiser(small_unet, Flow, "velocity"),
    objective=partial(Objective, law=logit_normal_law(), drop=0.1, null=10),
    recipe=Recipe(steps=2500, lr=4e-3),
    batch=64,
    n_classes=10,
)

DIGITS_EPS = replace(
    DIGITS,
    name="digits-eps",
    model=denoiser(small_unet, Table.linear, "eps"),
    objective=partial(Objective, law=uniform_law(), drop=0.1, null=10),
)

DIGITS_PAGE = replace(
    DIGITS,
    name="digits-page",
    model=denoiser(partial(MLP, (1, 8, 8), width=120, depth=2, features=32, n_classes=10), Flow, "velocity"),
    recipe=Recipe(steps=6000, lr=2e-3),
    batch=256,
)
"""Small enough to run in a page of the book (widgets/network.mjs)."""

TASKS: dict[str, Task] = {
    **{name: toy(name) for name in ("moons", "swiss_roll", "checkerboard", "rings", "gauss8")},
    "digits": DIGITS,
    "digits-eps": DIGITS_EPS,
    "digits-page": DIGITS_PAGE,
}


def folder_task(path: Path, size: int) -> Task:
    """Any folder of images, with its sub-folders as classes: a UNet of three levels at size x size, in
    colour."""
    if size % 4 or size < 8:
        raise ValueError(
            f"images of {size} pixels: this network halves them twice, give a multiple of 4 from 8 on."
        )
    n = len(class_names(path))

    def batches(share: Share, seed: int, device: torch.device) -> Batches:
        x, labels = load_folder(path, size)
        return Epochs(x.to(device), None if labels is None else labels.to(device), share, seed)

    net = partial(UNet, 3, channels=32, multipliers=(1, 2, 2), attention=(2,), n_classes=n)
    return Task(
        name=path.resolve().name,
        batches=batches,
        shape=(3, size, size),
        model=denoiser(net, Flow, "velocity"),
        objective=partial(Objective, law=logit_normal_law(), drop=0.1 if n else 0.0, null=n),
        recipe=Recipe(steps=20_000),
        batch=64,
        n_classes=n,
    )
