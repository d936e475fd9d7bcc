"""Both sides of every numbered equation of book/alignment.md."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import Table
from diffusion_lab.targets import TARGETS, Prediction


def test_eq_alignment_tilt():
    # No density of a family around the tilted law has a higher objective, and the closed form is that law.
    sigma, beta = 0.5, 0.2
    base = Normal(0.0, sigma)

    def objective(mean, std):
        p = Normal(mean, std)
        return (p.mean - beta * kl_divergence(p, base)).item()

    best = objective(sigma**2 / beta, sigma)
    others = [objective(sigma**2 / beta + dm, sigma * s) for dm in (-0.1, 0.0, 0.1) for s in (0.9, 1.0, 1.1)]
    assert max(others) == best
    assert sorted(others)[-2] < best - 1e-4
    x = torch.linspace(-4, 6, 10_001)
    tilted = (base.log_prob(x) + x / beta).exp()
    tilted = tilted / torch.trapezoid(tilted, x)
    torch.testing.assert_close(tilted, Normal(sigma**2 / beta, sigma).log_prob(x).exp(), rtol=1e-6, atol=1e-9)


def test_eq_alignment_step(rng):
    # Divergences of one Gaussian step, computed from the library's own step, against weighted eps errors.
    table, t, s = Table.linear(1000), 0.6, 0.599
    process = Gaussian(table)
    x0, eps, ours, theirs = torch.randn(4, 7, 5, generator=rng)
    x, zero = process.diffuse(x0, t, eps), torch.zeros(7, 5)

    def mean(eps_hat):
        return process.reverse(x, Prediction(table.at(t, x), x, eps_hat, TARGETS["eps"]), t, s, zero)

    std = process.reverse(x, Prediction(table.at(t, x), x, eps, TARGETS["eps"]), t, s, zero + 1) - mean(eps)
    gaps = [kl_divergence(Normal(mean(eps), std), Normal(mean(e), std)).sum(1) for e in (ours, theirs)]
    errors = [(eps - e).square().sum(1) for e in (ours, theirs)]
    weight = (gaps[0] - gaps[1]) / (errors[0] - errors[1])
    torch.testing.assert_close(weight, weight[:1].expand(7))
    beta, abar = table.beta[599], (1 - table.beta[:600]).prod()
    small = beta * (1 - abar / (1 - beta)) / (1 - abar)
    assert weight[0].item() == pytest.approx(
        (beta**2 / (2 * small * (1 - beta) * (1 - abar))).item(), rel=1e-5
    )


def test_eq_alignment_policy(rng):
    # Two Gaussian steps with mean theta * x: the score-function estimate against the exact derivative.
    theta, n = torch.tensor(0.7, requires_grad=True), 400_009
    start = torch.randn(n, generator=rng)
    middle = (theta * start + 0.5 * torch.randn(n, generator=rng)).detach()
    end = (theta * middle + 0.5 * torch.randn(n, generator=rng)).detach()
    reward = end.square()
    log_p = Normal(theta * start, 0.5).log_prob(middle) + Normal(theta * middle, 0.5).log_prob(end)
    (got,) = torch.autograd.grad((reward * log_p).mean(), theta)
    # E[end^2] = theta^4 + 0.25 theta^2 + 0.25
    exact = 4 * 0.7**3 + 0.5 * 0.7
    assert got.item() == pytest.approx(exact, abs=0.06)
