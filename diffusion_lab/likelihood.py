"""How probable is x_0? The variational bound term by term, and the exact likelihood of the ODE model."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .coefficients import Number
from .denoisers import Denoise
from .processes import Gaussian
from .steps import Times, floats
from .targets import Prediction


class Term(NamedTuple):
    """One KL of the bound: from time t to s, nats per example."""

    t: float
    s: float
    nats: Float[Tensor, "b"]


def nelbo(
    denoise: Denoise,
    x0: Float[Tensor, "b *d"],
    ts: Times,
    rng: torch.Generator | None = None,
    half_bin: float | None = None,
) -> Iterator[Term]:
    """-log p(x_0) <= L_T + ... + L_0, noisiest first, one noise draw per term   (DDPM eq. 5).

    half_bin is half the distance between two pixel values (1/255 for 8 bits in [-1, 1]): L_0 is then the
    discretised decoder of DDPM eq. 13, else a density. ts falls to 0.
    """
    process, grid = denoise.process, floats(ts)
    yield Term(1.0, grid[0], prior_kl(process, x0, grid[0]))
    for t, s in pairwise(grid):
        x = process.diffuse(x0, t, process.noise(x0, rng))
        pred = denoise(x, t)
        yield Term(
            t,
            s,
            step_kl(process, x0, x, pred, t, s) if s > 0 else decoder_nll(process, x0, pred, t, half_bin),
        )


def prior_kl(process: Gaussian, x0: Float[Tensor, "b *d"], t: float) -> Float[Tensor, "b"]:
    """L_T = KL( q(x_T | x_0) || N(0, sigma^2 I) ): what the path forgets to forget."""
    c = process.schedule.at(t, x0)
    return ((c.a / c.sigma * x0) ** 2 / 2).flatten(1).sum(1)


def step_kl(
    process: Gaussian,
    x0: Float[Tensor, "b *d"],
    x: Float[Tensor, "b *d"],
    pred: Prediction,
    t: Number,
    s: Number,
) -> Float[Tensor, "b"]:
    """KL( q(x_s | x_t, x_0) || p(x_s | x_t) ), nats per example   (DDPM eq. 5 and 8), for s > 0.

    With the small variance it is (SNR_s - SNR_t) / 2 || x_0 - x_0_hat ||^2.
    """
    cs = process.schedule.at(s, x0)
    f = cs.sigma * process.fresh(t, s, x0)
    log_ratio = pred.large * _log(process.added(t, s, x0) / f)  # log of p's standard deviation over q's
    kept = (cs.sigma**2 - f**2) ** 0.5
    true = Prediction(pred.c, x, x0, lambda c: (1.0, 0.0))
    gap = (true.combine(cs.a, kept) - pred.combine(cs.a, kept)) / f
    shrink = torch.exp(-2 * torch.as_tensor(log_ratio))
    return (log_ratio + (shrink * (1 + gap**2) - 1) / 2).expand(x0.shape).flatten(1).sum(1)


def decoder_nll(
    process: Gaussian, x0: Float[Tensor, "b *d"], pred: Prediction, t: float, half_bin: float | None
) -> Float[Tensor, "b"]:
    """L_0 = -log p(x_0 | x_t) at the last time t, with variance beta_1: a probability of the value's bin,
    open-ended at -1 and 1   (DDPM eq. 13), or a density."""
    normal = torch.distributions.Normal(pred.x0, process.schedule.at(t, x0).sigma)
    if half_bin is None:
        return -normal.log_prob(x0).flatten(1).sum(1)
    upper = torch.where(x0 > 1 - half_bin, 1.0, normal.cdf(x0 + half_bin))
    lower = torch.where(x0 < -1 + half_bin, 0.0, normal.cdf(x0 - half_bin))
    return -(upper - lower).clamp(min=1e-12).log().flatten(1).sum(1)


def bits_per_dim(nats: Float[Tensor, "b"], dims: int) -> Float[Tensor, "b"]:
    """Nats per example -> bits per value."""
    return nats / (dims * math.log(2))


def ode_log_prob(
    denoise: Denoise,
    x0: Float[Tensor, "b *d"],
    ts: Times,
    probes: Float[Tensor, "p b *d"] | None = None,
) -> Float[Tensor, "b"]:
    """log p(x_0) of the model that the probability-flow ODE defines   (score-SDE eq. 39), by Heun's method on
    a rising grid. The divergence is exact, or Hutchinson's estimate where probes (signs or normals) are
    given.

    The first time of ts stands for 0: x_0 is taken for x_t there, so start at a small time.
    """
    process, x = denoise.process, x0
    divergence = _exact_divergence if probes is None else _hutchinson(probes)

    def slope(x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        return divergence(lambda z: denoise(z, t).velocity, x)

    total = torch.zeros_like(x0.flatten(1)[:, 0])
    for t, s in pairwise(floats(ts)):
        u, div = slope(x, t)
        u_s, div_s = slope(x + (s - t) * u, s)
        x, total = x + (s - t) * (u + u_s) / 2, total + (s - t) * (div + div_s) / 2
    c = process.schedule.at(s, x)
    prior = torch.distributions.Normal(0.0, c.sigma).log_prob(x).flatten(1).sum(1)
    return prior + total


Divergence = Callable[[Callable[[Tensor], Tensor], Tensor], tuple[Tensor, Tensor]]


def _exact_divergence(f: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) and the trace of its Jacobian, one backward pass per dimension."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        y = f(x)
        rows = [
            torch.autograd.grad(y.flatten(1)[:, i].sum(), x, retain_graph=True)[0].flatten(1)[:, i]
            for i in range(x[0].numel())
        ]
    return y.detach(), torch.stack(rows).sum(0)


def _hutchinson(probes: Float[Tensor, "p b *d"]) -> Divergence:
    """E[z^T J z] over the probes z   (Hutchinson 1990)."""

    def divergence(f: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = f(x)
            pulls = [
                (torch.autograd.grad((y * z).sum(), x, retain_graph=True)[0] * z).flatten(1).sum(1)
                for z in probes
            ]
        return y.detach(), torch.stack(pulls).mean(0)

    return divergence


def _log(x: Number) -> Number:
    return torch.log(x) if isinstance(x, Tensor) else math.log(x)
