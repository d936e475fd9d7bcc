"""Editing with a trained denoiser: SDEdit, inpainting with and without training for it, swapped attention.

All of it is made of the ordinary samplers: an edit chooses where they start, what they see, or what is put
back between their steps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .coefficients import Number
from .denoisers import Denoise, Rule, given
from .grids import Grid, uniform
from .guidance import extrapolate
from .models.captioned import Maps
from .processes import Gaussian
from .samplers import Step, ancestral, ddim
from .steps import Times, falling
from .targets import TARGETS, Prediction, mix


def sdedit(
    denoise: Denoise,
    x0: Float[Tensor, "b *d"],
    strength: float,
    steps: int,
    noise: Float[Tensor, "b *d"],
    sampler: Callable[..., Iterator[Step]] = ddim,
) -> Iterator[Step]:
    """Noise x_0 to t = strength and sample from there   (SDEdit, algorithm 1; "image to image").

    strength = 1 forgets x_0 (all but a_1), a small one keeps all but fine detail.
    """
    if not 0 < strength <= 1:
        raise ValueError(f"strength {strength}: give a time in (0, 1], where 1 starts from pure noise.")
    return sampler(denoise, denoise.process.diffuse(x0, strength, noise), uniform(steps, strength))


Mask = Float[Tensor, "#b #c *d"]
"""1 where the picture is known, 0 where it is to be made."""


def repaint(
    denoise: Denoise,
    x: Float[Tensor, "b *d"],
    ts: Times,
    known: Float[Tensor, "b *d"],
    mask: Tensor,
    rng: torch.Generator | None = None,
    resample: int = 5,
) -> Iterator[Step]:
    """Ancestral steps whose known part is replaced by a fresh q(x_s | x_0); each step is gone forth and back
    `resample` times, so that the made part can agree with the known one   (RePaint, algorithm 1).

    It asks nothing of training. resample = 1 is plain replacement, which leaves seams.
    """
    checked(known, mask)
    if resample < 1:
        raise ValueError(f"resample = {resample}: each step is taken at least once.")
    process = denoise.process
    for t, s in falling(ts):
        for turn in range(resample):
            first, last = ancestral(denoise, x, (t, s), rng)
            yield first
            x = torch.lerp(last.x, process.diffuse(known, s, process.noise(x, rng)), mask.to(x))
            if turn < resample - 1:
                x = noised(process, x, s, t, process.noise(x, rng))
    yield Step(s, x)


def noised(
    process: Gaussian, x: Float[Tensor, "b *d"], s: float, t: float, noise: Float[Tensor, "b *d"]
) -> Float[Tensor, "b *d"]:
    """x_t ~ q(x_t | x_s), one stretch of the forward process   (DDPM eq. 2)."""
    if s == 0:
        return process.diffuse(x, t, noise)
    ratio = process.schedule.at(t, x).a / process.schedule.at(s, x).a
    return mix(ratio, x, process.added(t, s, x), noise)


def filled(denoise: Denoise, known: Float[Tensor, "b *d"], mask: Tensor) -> Rule:
    """A denoiser whose x_0_hat shows the known part as it is: inpainting for any sampler, at no cost.

    Cheaper and rougher than `repaint`: a guess of the unknown part is made before it has seen the known one.
    """
    checked(known, mask)

    def fill(x: Tensor, t: Number, cond: Any) -> Prediction:
        pred = denoise(x, t, cond)
        return Prediction(pred.c, x, torch.lerp(pred.x0, known, mask.to(x)), TARGETS["x0"], pred.large)

    return Rule(denoise.process, fill)


def checked(known: Tensor, mask: Tensor) -> None:
    """Refuse a mask that does not fit, or that is neither kept nor made."""
    try:
        fits = torch.broadcast_shapes(known.shape, mask.shape) == known.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} for pictures of shape {tuple(known.shape)}: "
            "they must broadcast."
        )
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise ValueError(
            "the mask has values between 0 and 1: give 1 where the picture is known and 0 elsewhere."
        )


def hidden(x0: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c_plus_1 h w"]:
    """The picture without its unknown part, and the mask: what a network trained to inpaint sees beside x_t
    (latent diffusion's inpainting model: 4 + 4 + 1 channels)."""
    checked(x0, mask)
    return torch.cat([x0 * mask, mask], 1)


def prompt_to_prompt(
    denoise: Denoise,
    source: Tensor,
    target: Tensor,
    null: Tensor,
    x: Float[Tensor, "b *d"],
    ts: Grid,
    scale: float = 2.0,
    until: float = 0.5,
    sampler: Callable[..., Iterator[Step]] = ddim,
) -> Iterator[Step]:
    """Two captions from one noise, where the second borrows the first's attention maps while t > until, and
    so its layout   (Prompt-to-Prompt, section 3.2, word swap). Steps hold 2 b pictures: sources, then edits.

    The captions must name the same thing at the same place: maps belong to places in the caption.
    """
    if source.shape != target.shape:
        raise ValueError(
            f"captions of shape {tuple(source.shape)} and {tuple(target.shape)}: give two alike."
        )
    strong = given(swapping(denoise, until), torch.cat([source, target]))
    weak = given(denoise, torch.cat([null, null]))
    return sampler(extrapolate(strong, weak, scale), torch.cat([x, x]), ts)


def swapping(denoise: Denoise, until: float) -> Rule:
    """A denoiser of two halves, the second of which attends as the first does while t > until."""
    if not any(isinstance(m, Maps) for m in modules(denoise)):
        raise ValueError("this network has no cross-attention maps to swap: use one that reads single words.")

    def swapped(x: Tensor, t: Number, cond: Any) -> Any:
        if float(t) <= until:
            return denoise(x, t, cond)
        with borrowed_maps(denoise):
            return denoise(x, t, cond)

    return Rule(denoise.process, swapped)


def modules(denoise: Denoise) -> list[nn.Module]:
    """All parts of a network; a rule has none."""
    return list(denoise.modules()) if isinstance(denoise, nn.Module) else []


@contextmanager
def borrowed_maps(denoise: Denoise) -> Iterator[None]:
    """Within it, the second half of a batch gets the cross-attention maps of the first."""
    hooks = [m.register_forward_hook(lend) for m in modules(denoise) if isinstance(m, Maps)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def lend(module: nn.Module, inputs: Any, maps: Float[Tensor, "b h n l"]) -> Float[Tensor, "b h n l"]:
    """The first half of the maps, twice."""
    first, _ = maps.chunk(2)
    return torch.cat([first, first])
