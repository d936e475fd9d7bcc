"""From a trained denoiser to samples in one call: labels, guidance, grid and sampler put together."""

from collections.abc import Iterator
from inspect import signature

import torch
from jaxtyping import Int
from torch import Tensor

from . import grids
from .denoisers import Denoise, Denoiser, given
from .errors import lookup
from .guidance import Scale, cfg
from .samplers import SAMPLERS, Step

FINITE_K = {"heun", "euler_maruyama", "langevin"}
"""Samplers that walk in sigma / a, and so begin where it is finite."""


def trajectory(
    model: Denoiser,
    shape: tuple[int, ...],
    labels: Int[Tensor, "b *l"] | None = None,
    null: int | None = None,
    guidance: Scale = 1.0,
    sampler: str = "dpmpp_2m",
    steps: int = 20,
    rng: torch.Generator | None = None,
) -> Iterator[Step]:
    """Steps from noise to samples of shape (b, *d), given labels or captions; guided where w is not 1.

    Guidance leads away from the condition `null`. Equal steps in t from the latest time that target and
    sampler allow. No gradients are kept.
    """
    walk = lookup(sampler, SAMPLERS, "sampler")
    schedule = model.process.schedule
    start = min(model.t_max, schedule.t_max if sampler in FINITE_K else 1.0)
    weight = next(model.parameters())
    noise = model.process.noise(torch.empty(shape, device=weight.device, dtype=weight.dtype), rng)
    x, ts = model.process.prior(noise, start), grids.uniform(steps, start)
    knobs = {"rng": rng} if "rng" in signature(walk).parameters else {}
    path = walk(conditioned(model, labels, null, guidance), x, ts, **knobs)
    while True:
        with torch.no_grad():
            step = next(path, None)
        if step is None:
            return
        yield step


def conditioned(model: Denoiser, labels: Tensor | None, null: int | None, guidance: Scale) -> Denoise:
    """The model with its labels and guidance filled in."""
    if labels is None:
        return model
    if guidance == 1:
        return given(model, labels)
    if null is None:
        raise ValueError(f"guidance w = {guidance} needs the label for 'no condition': give null.")
    return cfg(model, labels, torch.full_like(labels, null), guidance)
