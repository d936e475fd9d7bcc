"""Changes to p(x_0 | x_t) before a token is drawn: functions from denoisers to a denoiser."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..coefficients import Number
from ..denoisers import Denoise, Rule


def cfg(denoise: Denoise, cond: Any, null: Any, scale: float) -> Rule:
    """log p = log p_null + w (log p_cond - log p_null), normalised again: classifier-free guidance on logits
    (Schiff et al. 2024, arXiv 2412.10193). w = 0 unconditional, 1 plain conditional, above 1 guided."""

    def guided(x: Tensor, t: Number, _: Any) -> Tensor:
        strong = denoise(x, t, cond)
        return strong if scale == 1 else extrapolated(denoise(x, t, null), strong, scale)

    return Rule(denoise.process, guided)


def extrapolated(
    weak: Float[Tensor, "b l v"], good: Float[Tensor, "b l v"], w: float
) -> Float[Tensor, "b l v"]:
    """p_weak^(1-w) p_good^w, normalised. What either of them excludes stays excluded."""
    mixed = torch.where(good.isinf() | weak.isinf(), -torch.inf, weak + w * (good - weak))
    return mixed.log_softmax(-1)


def sharpened(denoise: Denoise, temperature: float) -> Rule:
    """p^(1 / temperature), normalised: below 1 safer and less diverse, above 1 bolder."""
    if not temperature > 0:
        raise ValueError(f"temperature = {temperature}: give a number above 0; 1 changes nothing.")
    return Rule(denoise.process, lambda x, t, cond: (denoise(x, t, cond) / temperature).log_softmax(-1))
