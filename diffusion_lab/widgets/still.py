"""What a reader without scripts sees of a trajectory: some of its frames beside each other."""

import base64
import html
import io
from typing import Any

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from .. import plots
from .tracks import Track, unpacked


def still(title: str, track: Track) -> str:
    """A picture, or lines of text, as HTML."""
    shown = chosen(len(track.times))
    times = ", ".join(f"{track.times[i]:.2f}" for i in shown)
    if isinstance(track.frames, list):
        lines = "\n".join(f"t = {track.times[i]:.2f}  {track.frames[i][0]}" for i in shown)
        return f'<pre class="dl-still">{html.escape(lines)}</pre>'
    text = html.escape(f"{title}: x_t at t = {times}, from left to right.")
    pictures = [picture(track.frames[i], track.kind) for i in shown]
    return f'<img class="dl-still" alt="{text}" src="{data_url(pictures)}">'


def picture(frame: UInt8[Tensor, "b *d"], kind: str) -> plots.Picture:
    """One frame, small."""
    x = unpacked(frame, kind)
    return plots.tiled(x, scale=3) if kind == "images" else plots.drawn_points(x.reshape(-1, 2), size=150)


def data_url(pictures: list[plots.Picture]) -> str:
    """Pictures side by side in one PNG of 16 colours."""
    from PIL import Image

    edged: list[Any] = [np.pad(p, ((2, 2), (2, 2), (0, 0)), constant_values=255) for p in pictures]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(edged, 1)).quantize(16).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def chosen(n: int) -> list[int]:
    """Six frames from first to last."""
    return [round(i * (n - 1) / 5) for i in range(6)] if n > 5 else list(range(n))
