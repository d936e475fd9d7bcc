"""Likelihood: the bound's terms against DDPM's formulas and an exact entropy, and the ODE's exact density."""

import math

import pytest
import torch

from diffusion_lab import grids, likelihood
from diffusion_lab.likelihood import bits_per_dim, nelbo, ode_log_prob, step_kl
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VE, VP, Cosine, Flow, Table
from diffusion_lab.targets import TARGETS, Prediction

from .laws import SCHEDULES, mixture


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_term_of_the_bound_is_a_difference_of_snr(schedule, rng):
    process = Gaussian(schedule)
    t = torch.tensor([0.3, 0.5, 0.7, 0.9, 0.95])
    s = t - 0.1
    x0, noise, error = torch.randn(3, 5, 2, 3, generator=rng)
    x = process.diffuse(x0, t, noise)
    c = schedule.at(t, x0)
    pred = Prediction(c, x, x0 + 0.1 * error, TARGETS["x0"])
    snr_t, snr_s = (schedule.at(u, torch.empty(5)).snr for u in (t, s))
    want = (snr_s - snr_t) / 2 * (0.1 * error).square().flatten(1).sum(1)
    torch.testing.assert_close(step_kl(process, x0, x, pred, t, s), want, rtol=1e-6, atol=1e-9)


def test_the_weight_of_ddpm_equation_12(rng):
    # beta_t^2 / (2 beta-tilde_t alpha_t (1 - alpha_bar_t)) || eps - eps_hat ||^2, with s^2 = beta-tilde.
    T, i = 1000, 349
    process, table = Gaussian(Table.linear()), Table.linear()
    beta, alpha_bar = table.beta[i - 1], table.alpha_bar
    small = (1 - alpha_bar[i - 1]) / (1 - alpha_bar[i]) * beta
    x0, eps, error = torch.randn(3, 7, 3, generator=rng)
    x = process.diffuse(x0, i / T, eps)
    pred = Prediction(table.at(i / T, x), x, eps + 0.1 * error, TARGETS["eps"])
    want = beta**2 / (2 * small * (1 - beta) * (1 - alpha_bar[i])) * (0.1 * error).square().sum(1)
    torch.testing.assert_close(step_kl(process, x0, x, pred, i / T, (i - 1) / T), want)


def test_where_the_bound_of_the_linear_table_puts_its_weight():
    # With s^2 = beta_t: .500 at t = 1, .00497 at its minimum t = 349; 37 % lies on t <= 100.
    table = Table.linear()
    beta, alpha_bar = table.beta, table.alpha_bar[1:]
    weight = beta / (2 * (1 - beta) * (1 - alpha_bar))
    assert weight[0] == pytest.approx(0.500, abs=5e-4)
    assert weight.argmin() + 1 == 349
    assert weight.min() == pytest.approx(0.00497, abs=5e-6)
    assert weight[:100].sum() / weight.sum() == pytest.approx(0.37, abs=5e-3)


@pytest.mark.parametrize("large", [0.0, 0.3, 1.0])
def test_a_kl_with_any_variance_is_the_kl_of_two_gaussians(large, rng):
    process, t, s = Gaussian(Table.linear()), 0.5, 0.4
    x0, noise = torch.randn(2, 5, 3, generator=rng)
    x = process.diffuse(x0, t, noise)
    pred = Prediction(process.schedule.at(t, x), x, 0.9 * noise, TARGETS["eps"], large)
    true = Prediction(process.schedule.at(t, x), x, x0, TARGETS["x0"])
    q, p = (process.reverse(x, k, t, s, torch.zeros_like(x)) for k in (true, pred))
    small = process.schedule.at(s, x).sigma * process.fresh(t, s, x)
    std = small ** (1 - large) * process.added(t, s, x) ** large
    want = torch.distributions.kl_divergence(
        torch.distributions.Normal(q, small), torch.distributions.Normal(p, std)
    )
    torch.testing.assert_close(step_kl(process, x0, x, pred, t, s), want.sum(1))


def expected_bound(schedule, ts, variance, dims):
    """The mean bound of N(0, variance I) data with its exact denoiser, whose error is v / (1 + v SNR)."""
    snr = torch.tensor([schedule.at(t, torch.empty(0)).snr for t in ts.tolist()[:-1]])
    last = schedule.at(ts[-2].item(), torch.empty(0)).sigma ** 2
    error = variance / (1 + variance * snr)
    steps = (snr.diff() / 2 * error[:-1]).sum()
    decoder = (math.log(2 * math.pi * last) + error[-1] / last) / 2
    return dims * (snr[0] * variance / 2 + steps + decoder)


@pytest.mark.parametrize("schedule", [VP(), Cosine(), Flow(), VE()], ids=lambda s: type(s).__name__)
def test_the_bound_of_an_exact_model_and_its_limit_the_entropy(schedule, rng):
    variance, n = 0.49, 101
    law = GaussianMixture.isotropic(torch.zeros(1, 3), variance**0.5)
    x0, _ = law.sample(2003, rng)
    ts = grids.karras(schedule, n, k_min=0.01)
    terms = list(nelbo(law.denoiser(Gaussian(schedule)), x0, ts, rng))
    bound = torch.stack([term.nats for term in terms]).sum(0)
    assert len(terms) == n + 1
    error = bound.std().item() / 2003**0.5
    assert bound.mean() == pytest.approx(expected_bound(schedule, ts, variance, 3).item(), abs=4 * error)
    entropy = 1.5 * math.log(2 * math.pi * math.e * variance)
    gaps = [
        (expected_bound(schedule, grids.karras(schedule, n, k_min=0.01), variance, 3) - entropy).item()
        for n in (1000, 4000)
    ]
    assert 0 < gaps[1] < gaps[0] / 2
    assert gaps[1] < 0.1


def test_the_prior_term_of_the_linear_table():
    # 7e-6 bits per dimension at E[x_0^2] = 0.25.
    x0 = torch.full((1, 100), 0.5)
    kl = likelihood.prior_kl(Gaussian(Table.linear()), x0, 1.0)
    assert bits_per_dim(kl, 100).item() == pytest.approx(7.3e-6, rel=0.02)


def test_the_discretised_decoder_is_a_law_over_pixel_values():
    process, levels = Gaussian(Table.linear()), 17
    values = torch.linspace(-1, 1, levels)[:, None]
    x = torch.full((levels, 1), 0.11)
    pred = Prediction(process.schedule.at(0.02, x), x, x, TARGETS["x0"])
    p = torch.exp(-likelihood.decoder_nll(process, values, pred, 0.02, half_bin=1 / 16))
    assert p.sum() == pytest.approx(1, abs=1e-6)
    assert p.argmax() == 9


@pytest.mark.parametrize("schedule", [VP(), Flow(), VE()], ids=lambda s: type(s).__name__)
def test_the_ode_gives_the_exact_density(schedule, rng):
    # A centred law: what is left of it at k = 80 then changes the density by E|x|^2 / (2 k^2), below 1e-3.
    law, process = GaussianMixture.ring(5, radius=1.5, std=0.3), Gaussian(schedule)
    x0, _ = law.sample(11, rng)
    ts = grids.log_snr(schedule, 400, k_min=0.01)[:-1].flip(0)
    got = ode_log_prob(law.denoiser(process), x0, ts)
    torch.testing.assert_close(got, law.log_prob(process, x0, ts[0].item()), atol=3e-3, rtol=1e-3)


def test_random_probes_estimate_the_trace_without_bias(rng):
    law, process = mixture(rng), Gaussian(VP())
    x0, _ = law.sample(3, rng)
    ts = grids.karras(VP(), 20, k_min=0.1)[:-1].flip(0)
    denoise = law.denoiser(process)
    probes = torch.randint(0, 2, (100, 3, 3), generator=rng).double() * 2 - 1
    exact, estimate = ode_log_prob(denoise, x0, ts), ode_log_prob(denoise, x0, ts, probes)
    torch.testing.assert_close(estimate, exact, atol=0.15, rtol=0)
    assert (estimate != exact).any()


def test_bits_per_dim():
    assert bits_per_dim(torch.tensor([math.log(2) * 6]), 3).tolist() == pytest.approx([2.0])
