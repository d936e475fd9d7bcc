"""Start from a text, not from noise: fill its gaps, or noise it a little and come back."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from .. import grids
from ..coefficients import Number
from ..denoisers import Denoise, Rule
from ..samplers import ancestral
from ..steps import Step


def blank(process: Any, n: int, length: int, rng: torch.Generator | None = None) -> Int[Tensor, "n l"]:
    """n rows of x_1: all masks, or uniform noise."""
    like = torch.zeros(n, length, dtype=torch.long, device=None if rng is None else rng.device)
    x: Tensor = process.prior(process.noise(like, rng))
    return x


def held(denoise: Denoise, x0: Int[Tensor, "b l"], known: Bool[Tensor, "b l"]) -> Rule:
    """The denoiser that knows some tokens: it reads them clean at every time, and is certain of them."""

    def fn(x: Tensor, t: Number, cond: Any) -> Tensor:
        log_p = denoise(torch.where(known, x0, x), t, cond)
        certain = torch.full_like(log_p, -torch.inf).scatter(-1, x0[..., None], 0.0)
        return torch.where(known[..., None], certain, log_p)

    return Rule(denoise.process, fn)


def infill(
    denoise: Denoise,
    x0: Int[Tensor, "b l"],
    known: Bool[Tensor, "_ _"],
    steps: int,
    rng: torch.Generator | None = None,
) -> Iterator[Step]:
    """Fill in what is not known, seeing both sides of every gap. Orders and remasking come with `denoise`:
    infill(in_order(model, quota(confidence)), ...)."""
    if known.shape != x0.shape:
        raise ValueError(
            f"known has shape {tuple(known.shape)} for text of shape {tuple(x0.shape)}: "
            "give one truth value per token."
        )
    process = denoise.process
    x = torch.where(known, x0, process.prior(process.noise(x0, rng)))
    return ancestral(held(denoise, x0, known), x, grids.uniform(steps), rng)


def rewrite(
    denoise: Denoise, x0: Int[Tensor, "b l"], t: float, steps: int, rng: torch.Generator | None = None
) -> Iterator[Step]:
    """Noise to t and back: SDEdit for text. t = 0 keeps the text, t = 1 forgets it   (Meng et al. 2022,
    algorithm 1, with tokens)."""
    process = denoise.process
    x = process.diffuse(x0, t, process.noise(x0, rng))
    return ancestral(denoise, x, grids.uniform(steps, t), rng)
