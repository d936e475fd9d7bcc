"""Train shipped models from scratch and write their weights and cards: python -m diffusion_lab.ship NAME ...

For those who maintain the package; readers use `diffusion-lab train`.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import quality, zoo
from .data import TOYS, load_digits
from .errors import lookup
from .models.classifier import Classifier
from .runs import shown
from .seeds import rng_at
from .tasks import TASKS

DIGITS = "scikit-learn's digits, 901 training images of 8 x 8"


def main() -> None:
    """Ship every model that is named."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_lab.ship", description=__doc__)
    parser.add_argument("names", nargs="+", help=f"of {', '.join(MODELS)}")
    for name in parser.parse_args().names:
        train, measure = lookup(name, MODELS, "model to ship")
        start = time.perf_counter()
        model, steps = train()
        card = zoo.Card(
            name=name,
            data=f"{name}, drawn afresh at every step" if name in TOYS else DIGITS,
            command=f"python -m diffusion_lab.ship {name}",
            parameters=sum(p.numel() for p in model.parameters()),
            steps=steps,
            seconds=round(time.perf_counter() - start),
            machine=f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores ({platform.machine()})",
            measured={},
            sha256="",
        )
        zoo.ship(model, card)
        print(zoo.ship(model, replace(card, measured=measure())))


def trained(name: str) -> tuple[nn.Module, int]:
    """The averaged model of a task, and its steps."""
    task = TASKS[name]
    trainer = task.trainer()
    for _ in shown(trainer.fit(), task.recipe.steps):
        pass
    return trainer.averaged, task.recipe.steps


def trained_classifier(steps: int = 1000, batch: int = 128) -> tuple[Classifier, int]:
    """Cross-entropy on training digits that are a little turned, sheared, shifted and noised."""
    x, labels = load_digits(split="train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        rng = rng_at("classifier", 0, step)
        rows = torch.randint(len(x), (batch,), generator=rng)
        loss = F.cross_entropy(model(distorted(x[rows], rng)), labels[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model, steps


def distorted(x: Tensor, rng: torch.Generator) -> Tensor:
    """Random affine maps that move points by about an eighth of the image, and a little noise."""
    maps = torch.eye(2, 3) + 0.12 * torch.randn(len(x), 2, 3, generator=rng)
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    moved = F.grid_sample(x + 1, grid, align_corners=False) - 1
    return moved + 0.1 * torch.randn(x.shape, generator=rng)


def judged() -> dict[str, float]:
    """Of the classifier on images it never saw."""
    x, labels = load_digits(split="test")
    right = zoo.classifier().forward(x).argmax(1) == labels
    return {"test_accuracy": round(right.double().mean().item(), 4)}


Model = tuple[Callable[[], tuple[nn.Module, int]], Callable[[], dict[str, float]]]

MODELS: dict[str, Model] = {
    "digits-classifier": (trained_classifier, judged),
    **{name: (partial(trained, name), partial(quality.of_shipped, name)) for name in TASKS},
}
"""How each is trained, and how it is measured once shipped."""


if __name__ == "__main__":
    main()
