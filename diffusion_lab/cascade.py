"""Super-resolution in stages, 8 -> 16 -> 32, with noise-conditioning augmentation.

A stage that was trained on perfect small pictures trusts them too much: it repeats the flaws of the stage
before. So each stage is trained on small pictures that are noised by a random level s, which it is told, and
when sampling a level is chosen that hides those flaws   (Ho et al. 2022, arXiv 2106.15282, section 4.2).
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from .denoisers import Denoise, Denoiser, given
from .grids import uniform
from .models.adapters import Given
from .processes import Gaussian
from .samplers import Step, ddim, final
from .schedules import Flow

AUGMENT = Gaussian(Flow())
"""The path on which small pictures are noised: (1 - s) x + s eps."""


def beside(
    small: Float[Tensor, "b c h w"], size: int, s: Float[Tensor, "b"], noise: Float[Tensor, "b c h2 w2"]
) -> Float[Tensor, "b c_plus_1 h2 w2"]:
    """What a stage sees: the enlarged small picture, noised to level s, and s itself as one more channel."""
    if size % small.shape[-1] or size <= small.shape[-1]:
        raise ValueError(f"from {small.shape[-1]} pixels to {size}: give a whole multiple.")
    large = F.interpolate(small, (size, size), mode="bilinear")
    level = s.to(large).view(-1, 1, 1, 1).expand(-1, 1, size, size)
    return torch.cat([AUGMENT.diffuse(large, s.to(large), noise), level], 1)


def upscaled(
    denoise: Denoise,
    small: Float[Tensor, "b c h w"],
    size: int,
    rng: torch.Generator | None = None,
    level: float = 0.1,
    steps: int = 20,
    cond: Any = None,
    sampler: Callable[..., Iterator[Step]] = ddim,
) -> Iterator[Step]:
    """One stage of a cascade: samples of size x size that agree with `small`, told to distrust it by
    `level`."""
    if not 0 <= level < 1:
        raise ValueError(f"augmentation level {level}: give 0 (trust the small picture) up to below 1.")
    b, c = small.shape[:2]
    like = small.new_empty(b, c, size, size)
    noise, start = AUGMENT.noise(like, rng), denoise.process.noise(like, rng)
    image = beside(small, size, small.new_full((b,), level), noise)
    top = denoise.t_max if isinstance(denoise, Denoiser) else denoise.process.schedule.t_max
    x = denoise.process.prior(start, top)
    return sampler(given(denoise, Given(cond, image)), x, uniform(steps, top))


def cascaded(
    small: Float[Tensor, "b c h w"],
    stages: list[tuple[Denoise, int]],
    rng: torch.Generator | None = None,
    level: float = 0.1,
    **how: Any,
) -> list[Float[Tensor, "b c _h _w"]]:
    """The picture after every stage (denoiser, size), the given one first."""
    pictures = [small]
    for denoise, size in stages:
        pictures.append(final(upscaled(denoise, pictures[-1], size, rng, level, **how)))
    return pictures
