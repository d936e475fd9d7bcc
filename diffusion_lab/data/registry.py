"""Every data set by name: examples to look at and measure against, and batches to train on."""

from collections.abc import Callable
from functools import partial

import torch

from ..errors import lookup
from ..seeds import rng_at
from . import drawn, styled
from .batches import Batches, Draws, Examples, Share
from .digits import load_digits
from .online import cifar10, fashion_mnist, mnist
from .toys import TOYS
from .world import World

TOY_EXAMPLES = 10_000


def toy_examples(name: str, split: str = "train") -> Examples:
    """Seeded points of a toy law: 10 000 for each split, no labels."""
    seed = lookup(split, {"train": 0, "test": 1}, "split")
    return TOYS[name](TOY_EXAMPLES, rng_at("toy", seed, 0)), None


DATASETS: dict[str, Callable[[str], Examples]] = {
    **{name: partial(toy_examples, name) for name in TOYS},
    "digits": partial(load_digits, 8),
    "digits16": partial(load_digits, 16),
    "digits32": partial(load_digits, 32),
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
}
"""name -> (split -> (x, labels or None)), split "train" or "test". One shape for all: images (n, c, h, w) in
[-1, 1] or standardised points (n, 2)."""

WORLDS: dict[str, World] = {world.name: world for world in (drawn.WORLD, styled.WORLD)}
"""What captions are written about, by the name of the model that reads them."""


def load(name: str, split: str = "train") -> Examples:
    """The examples of a data set."""
    return lookup(name, DATASETS, "data set")(split)


def training_batches(
    name: str, share: Share, seed: int = 0, device: torch.device | str = "cpu"
) -> Batches | Draws:
    """step -> (x, cond) on a device: a toy drawn afresh at every step, or epochs of the "train" split."""
    if name in TOYS:
        return Draws(TOYS[name], share, seed, device)
    x, labels = load(name, "train")
    return Batches(x.to(device), None if labels is None else labels.to(device), share, seed)
