"""Trajectories as a widget wants them: one frame per time, in bytes or in lines of text."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from .. import plots
from ..coefficients import Schedule
from ..processes import Categorical, Gaussian
from ..steps import Step, Times, floats

Lines = list[list[str]]


@dataclass(frozen=True, eq=False)
class Track:
    """One trajectory: frames of x_t, what the model believed x_0 to be, and the path at each time.

    kind: "points" (n, b, 2), "images" (n, b, h, w), "paths" (n, b, points, 2), "text": n lists of b lines.
    """

    name: str
    kind: str
    times: list[float]
    frames: UInt8[Tensor, "n *d"] | Lines
    beliefs: UInt8[Tensor, "n *d"] | Lines | None
    schedule: Schedule

    def named(self, name: str) -> "Track":
        """The same under a name of its own, for a choice between several."""
        return replace(self, name=name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one frame; tracks of one widget share it."""
        return (len(self.frames[0]),) if isinstance(self.frames, list) else tuple(self.frames.shape[1:])

    def to_json(self) -> dict[str, Any]:
        """Numbers beside base64; infinite log SNR becomes null."""
        c = [self.schedule.at(t, torch.empty(0)) for t in self.times]
        return {
            "name": self.name,
            "t": [round(t, 6) for t in self.times],
            "a": [round(float(k.a), 6) for k in c],
            "sigma": [round(float(k.sigma), 6) for k in c],
            "log_snr": [finite(2 * float(k.half_log_snr)) for k in c],
            "frames": packed(self.frames),
            "beliefs": None if self.beliefs is None else packed(self.beliefs),
        }


def forward(process: Gaussian, x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"], ts: Times) -> Track:
    """x_t of fixed data and fixed noise over rising times: the noise is an argument, so only t moves."""
    times = sorted(floats(ts))
    frames = torch.stack([to_bytes(process.diffuse(x0, t, noise)) for t in times])
    return Track("forward", kind_of(x0), times, frames, None, process.schedule)


def reverse(process: Gaussian, steps: Iterable[Step]) -> Track:
    """A sampler's steps, with x_0_hat beside x_t; the last, clean step believes in itself."""
    steps = list(steps)
    frames = torch.stack([to_bytes(step.x) for step in steps])
    beliefs = torch.stack([to_bytes(step.x if step.pred is None else step.pred.x0) for step in steps])
    return Track("reverse", kind_of(steps[0].x), [s.t for s in steps], frames, beliefs, process.schedule)


def unmasking(
    process: Categorical, steps: Iterable[Step], decode: Callable[[Int[Tensor, "l"]], str]
) -> Track:
    """A sampler's steps over tokens, as lines of text, with the likeliest x_0 beside them."""
    steps = list(steps)
    frames = [[decode(row) for row in step.x] for step in steps]
    beliefs = [
        [decode(row) for row in (step.x if step.pred is None else step.pred.argmax(-1))] for step in steps
    ]
    return Track("reverse", "text", [s.t for s in steps], frames, beliefs, process.schedule)


def kind_of(x: Float[Tensor, "b *d"]) -> str:
    """Points (b, 2), paths (b, points, 2) or images (b, 1, h, w)."""
    kinds = {2: "points", 3: "paths", 4: "images"}
    if x.ndim not in kinds or (x.ndim < 4 and x.shape[-1] != 2):
        raise ValueError(
            f"points (b, 2), paths (b, points, 2) and images (b, 1, h, w) can be drawn, not {tuple(x.shape)}."
        )
    return kinds[x.ndim]


def to_bytes(x: Float[Tensor, "b *d"]) -> UInt8[Tensor, "b *pixels"]:
    """Points and paths of the common window, or images in [-1, 1], as 0..255."""
    if x.ndim < 4:
        return ((x.detach().cpu() / plots.POINT_LIMIT + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return plots.pixels(x)[:, 0]


def unpacked(frame: UInt8[Tensor, "b *d"], kind: str) -> Float[Tensor, "b *c"]:
    """The inverse of `to_bytes`, to a byte."""
    x = frame.float() / 127.5 - 1
    return x[:, None] if kind == "images" else x * plots.POINT_LIMIT


def packed(frames: UInt8[Tensor, "*d"] | Lines) -> str | Lines:
    """Bytes as base64; text as it is."""
    if isinstance(frames, list):
        return frames
    return base64.b64encode(frames.contiguous().numpy().tobytes()).decode()


def finite(x: float) -> float | None:
    """JSON knows no infinity."""
    return round(x, 4) if abs(x) < 1e6 else None
