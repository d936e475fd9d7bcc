"""Samples and trajectories as pictures: matplotlib axes for people, PNG and GIF files for the command
line."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from .steps import Step

Picture = UInt8[np.ndarray, "rows columns 3"]

POINT_LIMIT = 2.6
"""Half the side of the window on standardised points."""


def pixels(x: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """[-1, 1] -> 0..255, with what lies outside clipped."""
    return ((x.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def tiled(x: Float[Tensor, "n c h w"], columns: int | None = None, scale: int = 1) -> Picture:
    """Images side by side with a thin line between them, (height, width, 3) of bytes."""
    n, c, h, w = x.shape
    columns = columns or math.ceil(n**0.5)
    rows = -(-n // columns)
    sheet = torch.full((3, rows * (h + 1) - 1, columns * (w + 1) - 1), 128, dtype=torch.uint8)
    for i, image in enumerate(pixels(x).expand(n, 3, h, w) if c == 1 else pixels(x)):
        top, left = (i // columns) * (h + 1), (i % columns) * (w + 1)
        sheet[:, top : top + h, left : left + w] = image
    return sheet.repeat_interleave(scale, 1).repeat_interleave(scale, 2).permute(1, 2, 0).numpy()


def drawn_points(x: Float[Tensor, "n 2"], title: str = "", size: int = 400) -> Picture:
    """A scatter of points on a fixed window, (size, size, 3) of bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size / 100, size / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    scatter(figure.add_axes((0.02, 0.02, 0.96, 0.9)), x, title)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def drawn_paths(x: Float[Tensor, "n t 2"], known: Float[Tensor, "m t 2"], size: int = 400) -> Picture:
    """Paths from the origin, and known ones dashed, each axis at its own scale, (size, size, 3) of bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size / 100, size / 100), dpi=100, layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    for paths, style in ((x, "-"), (known, "--")):
        for path in paths.detach().cpu():
            axes.plot(path[:, 0], path[:, 1], style, linewidth=1)
    axes.set(xlabel="ahead, m", ylabel="to the left, m")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def scatter(axes: Any, x: Float[Tensor, "n 2"], title: str = "") -> None:
    """Points on matplotlib axes, on the window that all standardised toys share."""
    points = x.detach().cpu()
    axes.scatter(points[:, 0], points[:, 1], s=3, alpha=0.6, linewidths=0)
    axes.set(
        xlim=(-POINT_LIMIT, POINT_LIMIT), ylim=(-POINT_LIMIT, POINT_LIMIT), xticks=[], yticks=[], title=title
    )
    axes.set_aspect("equal")


def picture(x: Tensor, title: str = "") -> Picture:
    """Points or images, whichever x holds, about 400 pixels wide."""
    if x.ndim == 2:
        return drawn_points(x, title)
    side = math.ceil(len(x) ** 0.5) * (x.shape[-1] + 1)
    return tiled(x, scale=max(1, 400 // side))


def save_png(image: Picture, path: Path) -> None:
    """Write one picture."""
    from PIL import Image

    Image.fromarray(image).save(path)


def save_gif(frames: Sequence[Picture], path: Path, milliseconds: int = 80) -> None:
    """Write a film that rests on its last frame."""
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    durations = [milliseconds] * (len(images) - 1) + [1500]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0)


def film(steps: Iterable[Step]) -> list[Picture]:
    """One frame per step of a trajectory."""
    return [picture(step.x, f"t = {step.t:.3f}") for step in steps]
