"""The x_t scrubber: a trajectory under a slider, drawn in the browser from a few kilobytes of bytes.

    scrub("Two moons", forward=diffused(...), reverse=sampler(...))

The HTML carries its data, its script and a picture for readers without scripts. It asks nobody for anything.
"""

import base64
import html
import io
import json
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from .. import plots
from ..coefficients import Schedule
from ..processes import Gaussian
from ..steps import Step, Times, floats

SIDE = 320
FOLLOWED = 5


@dataclass(frozen=True, eq=False)
class Track:
    """One trajectory as bytes: frames (n, ...) of x_t, what the model believed, and the path at each time."""

    name: str
    times: list[float]
    frames: UInt8[Tensor, "n *d"]
    beliefs: UInt8[Tensor, "n *d"] | None
    schedule: Schedule

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


@dataclass(frozen=True, eq=False)
class Scrubber:
    """Tracks under one slider. In a notebook the object shows itself."""

    title: str
    tracks: list[Track]

    def __repr__(self) -> str:
        lengths = ", ".join(f"{t.name} {len(t.times)} steps" for t in self.tracks)
        return f"Scrubber({self.title!r}: {lengths}, {tuple(self.tracks[0].frames.shape[1:])})"

    def _repr_html_(self) -> str:
        name = f"dl-{uuid.uuid4().hex[:12]}"
        return (
            f'<div class="dl-scrubber" id="{name}"><style>{asset("scrubber.css")}</style>'
            f'<img class="dl-still" alt="{html.escape(self.still_text())}" src="{self.still()}">'
            f'<script type="application/json">{self.to_json()}</script>'
            f'<script type="module">{asset("scrubber.mjs")}\n'
            f'render(document.getElementById("{name}"));</script></div>'
        )

    def to_json(self) -> str:
        """What the script reads. "<" is escaped, so no text can end the script element."""
        frames = self.tracks[0].frames
        points = frames.ndim == 3
        height, width = (0, 0) if points else frames.shape[-2:]
        data = {
            "title": self.title,
            "kind": "points" if points else "images",
            "side": SIDE,
            "followed": list(range(min(FOLLOWED, frames.shape[1]))) if points else [],
            "height": height,
            "width": width,
            "columns": math.ceil(frames.shape[1] ** 0.5),
            "tracks": [t.to_json() for t in self.tracks],
        }
        return json.dumps(data).replace("<", "\\u003c")

    def still(self) -> str:
        """Six frames of the first track side by side, as a data URL."""
        from PIL import Image

        track, images = self.tracks[0], []
        for i in shown(len(track.times)):
            frame = unpacked(track.frames[i])
            small = plots.drawn_points(frame, size=150) if frame.ndim == 2 else plots.tiled(frame, scale=3)
            images.append(torch.from_numpy(np.pad(small, ((2, 2), (2, 2), (0, 0)), constant_values=255)))
        buffer = io.BytesIO()
        Image.fromarray(torch.cat(images, 1).numpy()).quantize(16).save(buffer, "PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

    def still_text(self) -> str:
        """What the picture shows, in words."""
        times = ", ".join(f"{self.tracks[0].times[i]:.2f}" for i in shown(len(self.tracks[0].times)))
        return f"{self.title}: x_t at t = {times}, from left to right."


def scrub(title: str, *tracks: Track) -> Scrubber:
    """A widget with one or more tracks of the same kind of data."""
    if not tracks or len({t.frames.shape[1:] for t in tracks}) > 1:
        raise ValueError("a scrubber needs tracks, all with the same number of points or images.")
    return Scrubber(title, list(tracks))


def forward(process: Gaussian, x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"], ts: Times) -> Track:
    """x_t of fixed data and fixed noise over rising times: the noise is an argument, so only t moves."""
    times = sorted(floats(ts))
    frames = torch.stack([to_bytes(process.diffuse(x0, t, noise)) for t in times])
    return Track("forward", times, frames, None, process.schedule)


def reverse(process: Gaussian, steps: Iterable[Step]) -> Track:
    """A sampler's steps, with x_0_hat beside x_t; the last, clean step believes in itself."""
    steps = list(steps)
    frames = torch.stack([to_bytes(step.x) for step in steps])
    beliefs = torch.stack([to_bytes(step.x if step.pred is None else step.pred.x0) for step in steps])
    return Track("reverse", [step.t for step in steps], frames, beliefs, process.schedule)


def to_bytes(x: Float[Tensor, "b *d"]) -> UInt8[Tensor, "b *pixels"]:
    """Points of the common window, or images in [-1, 1], as 0..255."""
    if x.ndim == 2:
        return ((x.detach().cpu() / plots.POINT_LIMIT + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
    return plots.pixels(x)[:, 0]


def unpacked(frame: UInt8[Tensor, "b *d"]) -> Float[Tensor, "b *c"]:
    """The inverse of `to_bytes`, to a byte."""
    x = frame.float() / 127.5 - 1
    return x * plots.POINT_LIMIT if frame.ndim == 2 else x[:, None]


def packed(x: UInt8[Tensor, "*d"]) -> str:
    """Bytes as base64."""
    return base64.b64encode(x.contiguous().numpy().tobytes()).decode()


def shown(n: int) -> list[int]:
    """Six frames from first to last."""
    return [round(i * (n - 1) / 5) for i in range(6)] if n > 5 else list(range(n))


def finite(x: float) -> float | None:
    """JSON knows no infinity."""
    return round(x, 4) if abs(x) < 1e6 else None


def asset(name: str) -> str:
    """A file of this folder."""
    return (files(__package__) / name).read_text(encoding="utf-8")
