"""Digits with style words: real handwriting, made thinner or bolder, sheared and dimmed, with its caption.

    scenes = WORLD.random_scenes(64, rng)       # attribute numbers (64, 4), held-out combinations never
    x = render(scenes, rng)                     # (64, 1, 16, 16) in [-1, 1]
    words = WORLD.captions(scenes)              # (64, 5) word numbers: "a thin slanted white seven"

An image of the class that is asked for is changed at 32 pixels and averaged down to 16. The writer's own
weight and slant stay in it: a style word moves a picture and does not fix it.
"""

from functools import cache, partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from .digits import load_digits
from .world import World

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "stroke": ("thin", "plain", "bold"),
    "slant": ("backslanted", "upright", "slanted"),
    "shade": ("dim", "white"),
    "digit": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}

STROKES = (-1.0, 0.0, 0.9)
SLANTS = (-0.45, 0.0, 0.45)
SHADES = (0.5, 1.0)
SCALE = 0.8
"""Of the digit in its frame: room for what leans out."""


def render(
    scenes: Int[Tensor, "n 4"], rng: torch.Generator, split: str = "train"
) -> Float[Tensor, "n 1 16 16"]:
    """Pictures in [-1, 1] from the images of a split, each a little off in slant, size, place and ink."""
    stroke, slant, shade, digit = scenes.unbind(1)
    u = torch.rand(len(scenes), 6, generator=rng)
    off = u - 0.5
    ink = sheared(
        handwriting(digit, u[:, 0], split),
        torch.tensor(SLANTS).to(u)[slant] + 0.1 * off[:, 1],
        SCALE * (1 + 0.1 * off[:, 2]),
        0.1 * off[:, 3:5],
    )
    ink = F.avg_pool2d(weighted(ink, torch.tensor(STROKES).to(u)[stroke]), 2)
    level = torch.tensor(SHADES).to(u)[shade] - 0.08 * u[:, 5]
    return 2 * level[:, None, None, None] * ink - 1


def handwriting(digit: Int[Tensor, "n"], u: Float[Tensor, "n"], split: str) -> Float[Tensor, "n 1 32 32"]:
    """The ink, in [0, 1], of the image at share u in [0, 1) of those of its class."""
    ink, first, count = by_class(split, u.dtype)
    return ink[first[digit] + (u * count[digit]).long()]


@cache
def by_class(split: str, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Ink of all images, sorted by class; where each class begins, and how many it has."""
    x, labels = load_digits(32, split)
    count = labels.bincount(minlength=10)
    return (x[labels.argsort(stable=True)].to(dtype) + 1) / 2, count.cumsum(0) - count, count


def sheared(
    ink: Float[Tensor, "n 1 h w"],
    slant: Float[Tensor, "n"],
    scale: Float[Tensor, "n"],
    centre: Float[Tensor, "n 2"],
) -> Float[Tensor, "n 1 h w"]:
    """The ink at (x, y) is the old one's at (x + slant y, y) / scale, both seen from `centre`; y points down.

    Positive slants lean to the right. Coordinates run from -1 to 1 over the frame; there is no ink beyond.
    """
    x_row = torch.stack([torch.ones_like(slant), slant, -centre[:, 0] - slant * centre[:, 1]], 1)
    y_row = torch.stack([torch.zeros_like(slant), torch.ones_like(slant), -centre[:, 1]], 1)
    maps = torch.stack([x_row, y_row], 1) / scale[:, None, None]
    return F.grid_sample(ink, F.affine_grid(maps, list(ink.shape), align_corners=False), align_corners=False)


def weighted(ink: Float[Tensor, "n 1 h w"], stroke: Float[Tensor, "n"]) -> Float[Tensor, "n 1 h w"]:
    """Edges of strokes moved outwards by `stroke` pixels, inwards where it is negative; at most 1.

    It is part of the way from the picture to its grey dilation (the largest of 3 x 3 pixels) or erosion (the
    smallest).
    """
    grown, shrunk = F.max_pool2d(ink, 3, 1, 1), -F.max_pool2d(-ink, 3, 1, 1)
    target = torch.where(stroke[:, None, None, None] > 0, grown, shrunk)
    return torch.lerp(ink, target, stroke.abs()[:, None, None, None])


WORLD = World(
    "digits-styled",
    ATTRIBUTES,
    noun="digit",
    thing="digit",
    render=render,
    unseen=partial(render, split="test"),
)
"""180 combinations, 28 of them held out."""
