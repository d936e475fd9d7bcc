"""Both sides of every numbered equation of book/forward.md."""

import math

import pytest
import torch

from diffusion_lab.grids import shifted, uniform
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine, Flow, Shifted, Table


@pytest.mark.parametrize(
    "schedule", [VP(), Cosine(), Flow(), Table.linear(1000)], ids=lambda s: type(s).__name__
)
def test_eq_forward_marginal(schedule, rng):
    x0, eps = torch.randn(2, 7, 3, generator=rng)
    c = schedule.at(0.37, x0)
    torch.testing.assert_close(Gaussian(schedule).diffuse(x0, 0.37, eps), c.a * x0 + c.sigma * eps)


def test_eq_forward_ddpm(rng):
    # A chain of small steps, mean and variance propagated one by one, against the product of alphas.
    table = Table.linear(1000)
    mean, variance = 1.0, 0.0
    for beta in table.beta[:371].tolist():
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
    c = table.at(0.371, torch.empty(0))
    assert mean == pytest.approx(float(c.a), rel=1e-9)
    assert variance == pytest.approx(float(c.sigma) ** 2, rel=1e-9)


def test_eq_forward_variance(rng):
    x0, eps = 0.5 * torch.randn(2, 200_003, generator=rng)
    x_t = Gaussian(VP()).diffuse(x0[:, None], 0.4, 2 * eps[:, None])
    c = VP().at(0.4, x0)
    expected = float(c.a) ** 2 * 0.25 + float(c.sigma) ** 2
    assert x_t.var().item() == pytest.approx(expected, abs=4 * expected * math.sqrt(2 / 200_003))


@pytest.mark.parametrize("schedule", [VP(), Cosine(), Flow()], ids=lambda s: type(s).__name__)
def test_eq_forward_between(schedule):
    # Going to s and on to t must be going to t: mean and variance compose, and `added` is the kernel's root.
    s, t = 0.23, 0.71
    cs, ct = schedule.at(s, torch.empty(0)), schedule.at(t, torch.empty(0))
    scale, new = ct.a / cs.a, ct.sigma**2 - (ct.a / cs.a) ** 2 * cs.sigma**2
    assert float(scale**2 * cs.sigma**2 + new) == pytest.approx(float(ct.sigma**2))
    assert float(new) ** 0.5 == pytest.approx(float(Gaussian(schedule).added(t, s, torch.empty(0))))


def test_eq_forward_between_is_beta_for_neighbours_and_not_a_sum_further_apart():
    table = Table.linear(1000)
    neighbours = float(Gaussian(table).added(0.5, 0.499, torch.empty(0))) ** 2
    assert neighbours == pytest.approx(table.beta[499].item())
    further = float(Gaussian(table).added(0.5, 0.4, torch.empty(0))) ** 2
    assert further < 0.8 * table.beta[400:500].sum().item()


def test_eq_forward_prior_kl(rng):
    table, x0 = Table.scaled_linear(1000), torch.randn(5, 7, generator=rng)
    c = table.at(1.0, x0)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Normal(c.a * x0, torch.full_like(x0, float(c.sigma))),
        torch.distributions.Normal(0.0, 1.0),
    ).sum(1)
    variance = float(c.sigma) ** 2
    ours = ((float(c.a) * x0).square().sum(1) + 7 * (variance - 1 - math.log(variance))) / 2
    torch.testing.assert_close(ours, theirs)


def test_eq_forward_pooling(rng):
    m, c = 3, Cosine().at(0.6, torch.empty(0))
    eps = torch.randn(100_003, m * m, generator=rng)
    pooled = (float(c.a) * 0.7 + float(c.sigma) * eps).mean(1)
    expected = float(c.sigma) ** 2 / m**2
    assert pooled.var().item() == pytest.approx(expected, abs=4 * expected * math.sqrt(2 / 100_003))


def test_eq_forward_shift():
    kappa, t = 3.0, uniform(13)[1:-1]
    clock = kappa * t / (1 + (kappa - 1) * t)
    torch.testing.assert_close(shifted(uniform(13), kappa)[1:-1], clock)
    for before, after in zip(t.tolist(), clock.tolist()):
        gap = Flow().at(after, torch.empty(0)).half_log_snr - Flow().at(before, torch.empty(0)).half_log_snr
        assert 2 * float(gap) == pytest.approx(-2 * math.log(kappa))
        moved = Shifted(Flow(), kappa).at(before, torch.empty(0))
        assert float(moved.half_log_snr) == pytest.approx(
            float(Flow().at(after, torch.empty(0)).half_log_snr)
        )
