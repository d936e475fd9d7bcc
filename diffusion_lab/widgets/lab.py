"""The exact lab: the score of a mixture, and five samplers held against its ODE and against the law."""

import math
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from .. import grids, plots
from ..coefficients import Schedule
from ..oracles import GaussianMixture
from ..processes import Gaussian
from ..samplers import SAMPLERS, final
from ..schedules import VP, Flow
from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANS, STD = [[-1.3, -0.9], [1.5, -0.5], [0.1, 1.3]], 0.2
POINTS, CALLS, T = 200, 11, 0.35
K_MIN, K_MAX = 0.02, 80.0

RUNS: dict[str, tuple[str, Schedule, int]] = {
    "DDPM": ("ddpm", VP(), CALLS),
    "DDIM": ("ddim", VP(), CALLS),
    "DPM-Solver++(2M)": ("dpmpp_2m", VP(), CALLS),
    "Heun": ("heun", VP(), (CALLS + 1) // 2),
    "flow, Euler": ("euler", Flow(), CALLS),
}
"""Sampler, path and number of steps: Heun asks twice in every step but the last."""


def exact_lab() -> Part:
    """Three modes that the reader moves, 200 points, eleven calls for every sampler."""
    noise = torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = (noise * 1000).round() / 1000  # short numbers in the page, and the same ones here
    data = {
        "means": MEANS,
        "std": STD,
        "noise": [[round(x, 3) for x in row] for row in noise.tolist()],
        "calls": CALLS,
        "spacing": "logSnr",
        "t": T,
    }
    errors = distances(noise)
    said = ", ".join(f"{name} {error:.3f}" for name, error in errors.items())
    alt = (
        f"Left, arrows of the score of three modes at t = {T}. "
        f"Right, where {POINTS} points end after {CALLS} calls. "
        f"Root mean square distance to the ends of the ODE: {said}. "
        "DDPM draws noise and has no such path."
    )
    return Part("lab.mjs", "The exact lab", data, drawn(noise, errors), alt)


def law() -> GaussianMixture:
    """The modes before anyone moves them."""
    return GaussianMixture.isotropic(torch.tensor(MEANS, dtype=torch.float64), STD)


def ends(name: str, path: Schedule, ts: grids.Grid, noise: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Where a sampler takes the noise."""
    process = Gaussian(path)
    knobs = {"rng": torch.Generator().manual_seed(1)} if name == "ddpm" else {}
    start = process.prior(noise, ts[0].item())
    return final(SAMPLERS[name](law().denoiser(process), start, ts, **knobs))


def run(label: str, noise: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The ends of one of RUNS, its steps even in log SNR."""
    name, path, steps = RUNS[label]
    return ends(name, path, grids.log_snr(path, steps, K_MIN, K_MAX), noise)


def solved(noise: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The ODE's ends, by 200 steps of Heun."""
    return ends("heun", VP(), grids.log_snr(VP(), 200, K_MIN / 10, K_MAX), noise)


def distances(noise: Float[Tensor, "n 2"]) -> dict[str, float]:
    """Root mean square distance to the ODE's ends, of all that follow it."""
    exact = solved(noise)
    gaps = {label: run(label, noise) - exact for label in RUNS if label != "DDPM"}
    return {label: math.sqrt(gap.square().sum(1).mean().item()) for label, gap in gaps.items()}


def drawn(noise: Float[Tensor, "n 2"], errors: dict[str, float]) -> "Figure":
    """The score beside the ends of every run."""
    from matplotlib.figure import Figure

    figure = Figure((8.4, 4.2), layout="constrained")
    boxes = figure.subplot_mosaic([["field", "field", *"abc"], ["field", "field", *"def"]])
    axis = torch.linspace(-2.4, 2.4, 13, dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    arrows = -law().denoiser(Gaussian(VP()))(x, T).eps
    arrows = arrows / arrows.norm(dim=1, keepdim=True).clamp(min=1.0)
    plots.scatter(boxes["field"], torch.tensor(MEANS), f"sigma times the score, t = {T}")
    boxes["field"].plot(*torch.tensor(MEANS).T, "o", color="tab:orange")
    boxes["field"].quiver(*x.T, *arrows.T, angles="xy", width=0.005)
    found = {"the ODE": solved(noise), **{label: run(label, noise) for label in RUNS}}
    for place, (label, points) in zip("abcdef", found.items(), strict=True):
        error = f": {errors[label]:.3f}" if label in errors else ""
        plots.scatter(boxes[place], points, "")
        boxes[place].set_title(label + error, fontsize=8)
    return figure
