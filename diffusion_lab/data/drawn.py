"""A drawn world: one shape of known size, place and shade on black, with its caption and its outline.

    scenes = random_scenes(64, rng)             # attribute numbers (64, 4), held-out combinations never
    x = render(scenes, rng)                     # (64, 1, 16, 16) in [-1, 1]
    words = captions(scenes)                    # (64, 7) word numbers: "a small dim ring at the left"

The world has no end: pictures are drawn afresh, with radius, place and shade a little off each time. `WORLD`
says what is written about them, and its methods stand here as functions.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .world import World

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "size": ("small", "large"),
    "shade": ("dim", "grey", "white"),
    "shape": ("disc", "ring", "square", "triangle", "cross"),
    "place": ("left", "right", "top", "bottom", "centre"),
}
RARE = "wug"
"""A word that no caption of this world uses: for a shape that a model is taught later."""

CANVAS = 16.0
RADII = ((2.4, 3.0), (4.2, 4.8))
SHADES = (0.4, 0.7, 1.0)
PLACES = ((-3.0, 0.0), (3.0, 0.0), (0.0, -3.0), (0.0, 3.0), (0.0, 0.0))


class Drawing(NamedTuple):
    """What is needed to draw: radius, centre (x to the right, y down) and ink, on a canvas of 16 units."""

    shape: Int[Tensor, "n"]
    radius: Float[Tensor, "n"]
    centre: Float[Tensor, "n 2"]
    ink: Float[Tensor, "n"]


def drawing(scenes: Int[Tensor, "n 4"], rng: torch.Generator) -> Drawing:
    """Radius, centre and ink drawn at random within what the words mean."""
    size, shade, shape, place = scenes.unbind(1)
    u = torch.rand(len(scenes), 4, generator=rng)
    low, high = torch.tensor(RADII).to(u)[size].unbind(1)
    centre = CANVAS / 2 + torch.tensor(PLACES).to(u)[place] + 1.2 * (u[:, 1:3] - 0.5)
    return Drawing(
        shape, low + (high - low) * u[:, 0], centre, torch.tensor(SHADES).to(u)[shade] - 0.08 * u[:, 3]
    )


def render(scenes: Int[Tensor, "n 4"], rng: torch.Generator, size: int = 16) -> Float[Tensor, "n 1 h w"]:
    """Pictures of size x size pixels in [-1, 1]."""
    return painted(drawing(scenes, rng), size)


def painted(d: Drawing, size: int = 16) -> Float[Tensor, "n 1 h w"]:
    """Ink times the covered share of every pixel."""
    cover = (0.5 - distance(d, size)).clamp(0, 1)
    return (2 * cover * d.ink[:, None, None] - 1)[:, None]


def outlines(d: Drawing, size: int = 16) -> Float[Tensor, "n 1 h w"]:
    """Edge maps in [-1, 1]: bright where the border of the shape passes. They say nothing of shade."""
    return (2 * (1 - distance(d, size).abs()).clamp(0, 1) - 1)[:, None]


def distance(d: Drawing, size: int) -> Float[Tensor, "n h w"]:
    """Signed distance of every pixel's centre from the border, in pixels, negative inside."""
    if size < 8:
        raise ValueError(f"pictures of {size} pixels: shapes cannot be told apart below 8.")
    unit = CANVAS / size
    line = (torch.arange(size).to(d.radius) + 0.5) * unit
    x = line[None, None, :] - d.centre[:, 0, None, None]
    y = line[None, :, None] - d.centre[:, 1, None, None]
    every = torch.stack([shape(x, y, d.radius[:, None, None]) for shape in SHAPES.values()])
    return every[d.shape, torch.arange(len(d.shape))] / unit


def _disc(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    return torch.hypot(x, y) - r


def _ring(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    return (torch.hypot(x, y) - 0.76 * r).abs() - 0.24 * r


def _square(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - 0.86 * r


def _triangle(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    side = (1.8 * x.abs() - (y + r)) / (1 + 1.8**2) ** 0.5  # from the tip (0, -r) to the corner (r, 0.8 r)
    return torch.maximum(y - 0.8 * r, side)


def _cross(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    x, y = x.abs(), y.abs()
    arm = 0.3 * r
    return torch.minimum(torch.maximum(x - r, y - arm), torch.maximum(y - r, x - arm))


def _heart(x: Tensor, y: Tensor, r: Tensor) -> Tensor:
    x, y = x.abs(), 0.1 * r - y
    lobe = torch.hypot(x - 0.48 * r, y - 0.32 * r) - 0.52 * r
    tip = torch.maximum((x + y) / 2**0.5 - 0.78 * r, (x - y - 0.95 * r) / 2**0.5)
    return torch.minimum(lobe, torch.maximum(tip, y - 0.45 * r))


SHAPES = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
    "heart": _heart,
}
"""Name -> signed distance of (x, y) from the border of a shape of radius r at the origin. The last is outside
the captions' world: the new glyph of `personalise.py`."""


WORLD = World(
    "drawn",
    ATTRIBUTES,
    noun="shape",
    thing="thing",
    render=render,
    unseen=render,
    before={"place": ("at", "the")},
    spare=(RARE,),
)
"""150 combinations, 26 of them held out."""

COUNTS, LENGTH, VOCABULARY, NUMBERS = WORLD.counts, WORLD.length, WORLD.vocabulary, WORLD.numbers
all_scenes, held_out, random_scenes = WORLD.all_scenes, WORLD.held_out, WORLD.random_scenes
captions, phrase, tokens = WORLD.captions, WORLD.phrase, WORLD.tokens
