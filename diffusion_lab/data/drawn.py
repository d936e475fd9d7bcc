"""A drawn world: one shape of known size, place and shade on black, with its caption and its outline.

    scenes = random_scenes(64, rng)             # attribute numbers (64, 4), held-out combinations never
    x = render(scenes, rng)                     # (64, 1, 16, 16) in [-1, 1]
    words = captions(scenes)                    # (64, 7) word numbers: "a small dim ring at the left"

Every attribute and every pair of attributes is seen in training, but one in six of the full combinations is
held out: whether a model composes words it never saw together can be counted. The world has no end: pictures
are drawn afresh, with radius, place and shade a little off each time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import lookup

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "size": ("small", "large"),
    "shade": ("dim", "grey", "white"),
    "shape": ("disc", "ring", "square", "triangle", "cross"),
    "place": ("left", "right", "top", "bottom", "centre"),
}
COUNTS = tuple(len(names) for names in ATTRIBUTES.values())
RARE = "wug"
"""A word that no caption of this world uses: for a shape that a model is taught later."""

LENGTH = 7
PAD = 0
VOCABULARY = ("", "a", "at", "the", "thing", *[w for names in ATTRIBUTES.values() for w in names], RARE)
"""Word number 0 is the empty word that fills captions up; seven of them are the empty caption."""

CANVAS = 16.0
RADII = ((2.4, 3.0), (4.2, 4.8))
SHADES = (0.4, 0.7, 1.0)
PLACES = ((-3.0, 0.0), (3.0, 0.0), (0.0, -3.0), (0.0, 3.0), (0.0, 0.0))
HELD_OUT = 6


def all_scenes() -> Int[Tensor, "n 4"]:
    """Every combination of attributes, 150 rows."""
    return torch.cartesian_prod(*[torch.arange(n) for n in COUNTS])


def held_out(scenes: Int[Tensor, "n 4"]) -> Bool[Tensor, "n"]:
    """One combination in six, by the sum of its numbers: no single value and no pair is ever missing."""
    return scenes.sum(1) % HELD_OUT == 0


def random_scenes(n: int, rng: torch.Generator, unseen: bool = False) -> Int[Tensor, "n 4"]:
    """n rows from the combinations of the training set, or from those held out."""
    scenes = all_scenes()
    pool = scenes[held_out(scenes) == unseen]
    return pool[torch.randint(len(pool), (n,), generator=rng)]


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


def captions(scenes: Int[Tensor, "n 4"], said: Bool[Tensor, "n 4"] | None = None) -> Int[Tensor, "n l"]:
    """Word numbers of "a <size> <shade> <shape> at the <place>", without the attributes that are not `said`;
    a shape that is not is "thing"."""
    n = torch.tensor(COUNTS)
    first = NUMBERS["small"] + n.cumsum(0) - n
    size, shade, shape, place = (scenes + first.to(scenes)).unbind(1)
    if said is not None:
        size, shade, place = (w * say for w, say in zip((size, shade, place), said[:, [0, 1, 3]].unbind(1)))
        shape = torch.where(said[:, 2], shape, NUMBERS["thing"])
    a, at, the = (torch.full_like(size, NUMBERS[word]) for word in ("a", "at", "the"))
    row = torch.stack([a, size, shade, shape, at * (place > 0), the * (place > 0), place], 1)
    return row.gather(1, (row == PAD).long().argsort(dim=1, stable=True))


def phrase(words: Int[Tensor, "l"]) -> str:
    """A caption as text."""
    return " ".join(VOCABULARY[i] for i in words.tolist() if i != PAD)


def tokens(texts: Sequence[str]) -> Int[Tensor, "n l"]:
    """Captions as a model reads them. Unknown words and captions over seven words are refused."""
    return torch.tensor([encoded(text) for text in texts]).reshape(-1, LENGTH)


def encoded(text: str) -> list[int]:
    """One caption as seven word numbers."""
    words = text.lower().split()
    if len(words) > LENGTH:
        raise ValueError(f"the caption {text!r} has {len(words)} words: give at most {LENGTH}.")
    numbers = [lookup(word, NUMBERS, "word") for word in words]
    return numbers + [PAD] * (LENGTH - len(words))


NUMBERS = {word: i for i, word in enumerate(VOCABULARY) if word}


def picture_and_caption(
    n: int, rng: torch.Generator, size: int = 16, leave_out: float = 0.05
) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, "n l"]]:
    """Training pairs. Each attribute is left out of a caption with probability `leave_out`, so that shorter
    phrases mean something too."""
    scenes = random_scenes(n, rng)
    said = torch.rand(scenes.shape, generator=rng) >= leave_out
    return render(scenes, rng, size), captions(scenes, said)
