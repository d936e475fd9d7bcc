"""Samplers: generators that walk x_t from noise to data, one `Step` at a time.

    for step in heun(denoise, x, ts): ...      # watch it, plot it, stop it
    x0 = final(ddim(denoise, x, ts))           # or just take the end

ts is a falling grid of times that ends at 0 (`grids.py`); the model is never called at t = 0. A sampler
knows nothing of networks, targets, guidance, latents, plots or widgets, and keeps its memory in locals.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .denoisers import Denoise
from .solvers import dpmpp_2m, heun, unipc
from .steps import Step, Times, falling, final, floats
from .targets import mix

__all__ = [
    "SAMPLERS", "Step", "ancestral", "consistency", "ddim", "dpmpp_2m", "euler", "euler_maruyama", "final",
    "heun", "invert", "langevin", "unipc",
]  # fmt: skip


def ancestral(
    denoise: Denoise, x: Tensor, ts: Times, rng: torch.Generator | None = None, **knobs: Any
) -> Iterator[Step]:
    """x_s ~ q(x_s | x_t, x_0_hat), for any process: DDPM and its whole eta family   (DDPM algorithm 2,
    DDIM eq. 12), D3PM and MDLM. `knobs` go to `process.reverse`."""
    process = denoise.process
    for t, s in falling(ts):
        pred = denoise(x, t)
        yield Step(t, x, pred)
        x = process.reverse(x, pred, t, s, process.noise(x, rng), **knobs)
    yield Step(s, x)


def ddim(denoise: Denoise, x: Tensor, ts: Times) -> Iterator[Step]:
    """x_s = a_s x_0 + sigma_s eps: `ancestral` with eta = 0, and Euler in sigma / a   (DDIM eq. 12 and
    13)."""
    for t, s in falling(ts):
        pred = denoise(x, t)
        yield Step(t, x, pred)
        cs = denoise.process.schedule.at(s, x)
        x = pred.combine(cs.a, cs.sigma)
    yield Step(s, x)


def consistency(denoise: Denoise, x: Tensor, ts: Times, rng: torch.Generator | None = None) -> Iterator[Step]:
    """x_s = a_s x_0 + sigma_s z: jump to data, noise afresh   (consistency models, algorithm 1)."""
    process = denoise.process
    for t, s in falling(ts):
        pred = denoise(x, t)
        yield Step(t, x, pred)
        x = process.diffuse(pred.x0, s, process.noise(x, rng))
    yield Step(s, x)


def euler(denoise: Denoise, x: Tensor, ts: Times) -> Iterator[Step]:
    """x_s = x_t + (s - t) u: Euler in t on the probability-flow ODE, flow matching's own sampler."""
    for t, s in falling(ts):
        pred = denoise(x, t)
        yield Step(t, x, pred)
        x = mix(1.0, x, s - t, pred.velocity)
    yield Step(s, x)


def euler_maruyama(
    denoise: Denoise, x: Tensor, ts: Times, rng: torch.Generator | None = None, eta: float = 1.0
) -> Iterator[Step]:
    """dx = [u - eta^2 g^2 / 2 score] dt + eta g dW, run backwards: eta = 1 is Anderson's reverse SDE, eta
    = 0 the probability-flow ODE, all with the same marginals   (score-SDE eq. 6 and 13)."""
    process = denoise.process
    for t, s in falling(ts, start=process.schedule.t_max):
        pred = denoise(x, t)
        yield Step(t, x, pred)
        c = process.schedule.at(t, x)
        g2 = 2 * c.sigma * (c.d_sigma - c.sigma * c.d_a / c.a)
        drift = pred.combine(c.d_a, c.d_sigma + eta**2 * g2 / (2 * c.sigma))
        x = mix(1.0, x, s - t, drift)
        if s > 0:
            x = mix(1.0, x, eta * math.sqrt(g2 * (t - s)), process.noise(x, rng))
    yield Step(s, x)


def langevin(
    denoise: Denoise,
    x: Tensor,
    ts: Times,
    rng: torch.Generator | None = None,
    inner: int = 5,
    step: float = 0.1,
) -> Iterator[Step]:
    """x <- x + delta / 2 score + sqrt(delta) z with delta = step sigma_t^2, `inner` times at every level,
    then on to the next; the end is denoised   (Song & Ermon 2019, algorithm 1)."""
    process = denoise.process
    for t, s in falling(ts, start=process.schedule.t_max):
        c, cs = process.schedule.at(t, x), process.schedule.at(s, x)
        for _ in range(inner):
            pred = denoise(x, t)
            yield Step(t, x, pred)
            x = mix(1.0, x, -step / 2 * c.sigma, pred.eps)
            x = mix(1.0, x, math.sqrt(step) * c.sigma, process.noise(x, rng))
        x = denoise(x, t).x0 if s == 0 else x * (cs.a / c.a)
    yield Step(s, x)


def invert(denoise: Denoise, x: Tensor, ts: Times) -> Iterator[Step]:
    """`ddim` from data to noise on a rising grid, as if eps_hat did not change over a step   (DDIM section
    4.3).

    The first call is made at the second time: at t = 0 there is nothing to see.
    """
    rising = [(s, t) for t, s in falling(reversed(floats(ts)))][::-1]
    for s, t in rising:
        pred = denoise(x, s if s > 0 else t)
        yield Step(s, x, pred)
        cs, ct = (denoise.process.schedule.at(u, x) for u in (s, t))
        ratio = ct.a / cs.a
        x = mix(ratio, x, ct.sigma - cs.sigma * ratio, pred.eps)
    yield Step(t, x)


SAMPLERS: dict[str, Callable[..., Iterator[Step]]] = {
    "ddpm": ancestral,
    "ddim": ddim,
    "consistency": consistency,
    "euler": euler,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
    "unipc": unipc,
    "euler_maruyama": euler_maruyama,
    "langevin": langevin,
}
