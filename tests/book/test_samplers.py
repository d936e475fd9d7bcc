"""Both sides of every numbered equation of book/samplers.md."""

import math

import pytest
import torch

from diffusion_lab import grids, samplers
from diffusion_lab.denoisers import Rule
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import SAMPLERS, final
from diffusion_lab.schedules import VE, VP, Cosine, Flow, Table
from diffusion_lab.solvers import churned, exponential
from diffusion_lab.targets import TARGETS, Prediction

from ..laws import exact_ode, mixture, one_gaussian

SCHEDULES = [VP(), Cosine(), Flow(), VE()]
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
R, T, S = 0.83, 0.71, 0.33


def guesses(schedule, rng, *times):
    """A denoiser, x, and its x_0_hat or eps_hat wherever asked."""
    denoise, x = mixture(rng).denoiser(Gaussian(schedule)), torch.randn(5, 3, generator=rng)
    return denoise, x, [schedule.at(t, x) for t in times]


@pytest.mark.parametrize("large", [0.0, 1.0], ids=["small variance", "large variance"])
@pytest.mark.parametrize("t", [2, 371, 1000])
def test_eq_samplers_ancestral(t, large, rng):
    table = Table.linear(1000)
    process = Gaussian(table)
    x, eps, z = torch.randn(3, 5, 3, generator=rng)
    beta, abar = table.beta[t - 1], table.alpha_bar
    s2 = beta if large else (1 - abar[t - 1]) / (1 - abar[t]) * beta
    want = (x - beta / (1 - abar[t]).sqrt() * eps) / (1 - beta).sqrt() + s2.sqrt() * z
    pred = Prediction(table.at(t / 1000, x), x, eps, TARGETS["eps"], large)
    torch.testing.assert_close(process.reverse(x, pred, t / 1000, (t - 1) / 1000, z), want)


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@each_schedule
def test_eq_samplers_ddim(schedule, eta, rng):
    denoise, x, (ct, cs) = guesses(schedule, rng, T, S)
    pred, z = denoise(x, T), torch.randn(5, 3, generator=rng)
    f = eta * cs.sigma / ct.sigma * math.sqrt(ct.sigma**2 - (ct.a / cs.a * cs.sigma) ** 2)
    want = cs.a * pred.x0 + math.sqrt(cs.sigma**2 - f**2) * pred.eps + f * z
    torch.testing.assert_close(Gaussian(schedule).reverse(x, pred, T, S, z, eta=eta), want)


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0, math.inf])
@each_schedule
def test_eq_samplers_marginal(schedule, eta, rng):
    # x_s is affine in the noise of x_t and in z: its variance given x_0 is the sum of two squared slopes.
    process, x0, one = Gaussian(schedule), torch.full((1, 1), 0.7), torch.ones(1, 1)

    def step(eps, z):
        x = process.diffuse(x0, T, eps * one)
        pred = Prediction(schedule.at(T, x), x, x0, TARGETS["x0"])
        return process.reverse(x, pred, T, S, z * one, eta=eta).item()

    mean, cs = step(0.0, 0.0), schedule.at(S, x0)
    assert mean == pytest.approx(cs.a * 0.7)
    assert (step(1.0, 0.0) - mean) ** 2 + (step(0.0, 1.0) - mean) ** 2 == pytest.approx(cs.sigma**2)


@each_schedule
def test_eq_samplers_euler(schedule, rng):
    denoise, x, (ct, cs) = guesses(schedule, rng, T, S)
    x_s = final(samplers.ddim(denoise, x, [T, S]))
    torch.testing.assert_close(x_s / cs.a, x / ct.a + (cs.k - ct.k) * denoise(x, T).eps)


@pytest.mark.parametrize("schedule", [VP(), Cosine()], ids=lambda s: type(s).__name__)
def test_eq_samplers_forget(schedule):
    # Data N(0, 1): one step maps a variance V to keep^2 V + noise^2, so a difference shrinks by keep^2.
    process, one = Gaussian(schedule), torch.ones(1, 1)
    denoise = GaussianMixture.isotropic(torch.zeros(1, 1), 1.0).denoiser(process)
    ct, cs = schedule.at(T, one), schedule.at(S, one)
    keep = {eta: process.reverse(one, denoise(one, T), T, S, 0 * one, eta=eta).item() for eta in (0.0, 1.0)}
    assert keep[1.0] == pytest.approx(ct.a / cs.a)
    assert keep[0.0] == pytest.approx(cs.a * ct.a + cs.sigma * ct.sigma)
    near = schedule.at(T - 1e-3, one)
    assert near.a * ct.a + near.sigma * ct.sigma == pytest.approx(1, abs=1e-4)


def test_eq_samplers_forget_over_the_linear_table_leaves_eight_percent():
    assert Table.linear(1000).alpha_bar[500].item() == pytest.approx(0.08, abs=5e-3)


@pytest.mark.parametrize("name", ["ddpm", "ddim", "dpmpp_2m", "unipc", "heun"])
def test_eq_samplers_nfe(name, rng):
    calls, denoise = [], mixture(rng).denoiser(Gaussian(VP()))
    counting = Rule(denoise.process, lambda x, t, cond: calls.append(t) or denoise(x, t, cond))
    final(SAMPLERS[name](counting, torch.randn(2, 3, generator=rng), grids.uniform(7, 0.9)))
    assert len(calls) == (13 if name == "heun" else 7)


@each_schedule
def test_eq_samplers_exact(schedule, rng):
    # One Gaussian: the ODE's own path is known, so the integral over x_0_hat along it is a quadrature.
    x, law = torch.randn(5, 3, generator=rng), one_gaussian()
    ct, cs = schedule.at(T, x), schedule.at(S, x)
    ell = torch.linspace(ct.half_log_snr, cs.half_log_snr, 201)
    times = schedule.t_at(ell).tolist()
    beliefs = [law.denoiser(Gaussian(schedule))(exact_ode(schedule, x, T, t), t).x0 for t in times]
    integral = torch.trapezoid(ell.exp()[:, None, None] * torch.stack(beliefs), ell, dim=0)
    want = exact_ode(schedule, x, T, S)
    torch.testing.assert_close(cs.sigma / ct.sigma * x + cs.sigma * integral, want, rtol=1e-4, atol=1e-4)


@each_schedule
def test_eq_samplers_first_order(schedule, rng):
    denoise, x, (ct, cs) = guesses(schedule, rng, T, S)
    x0 = denoise(x, T).x0
    formula = cs.sigma / ct.sigma * x + (cs.a - cs.sigma / ct.sigma * ct.a) * x0
    torch.testing.assert_close(formula, final(samplers.ddim(denoise, x, [T, S])))
    torch.testing.assert_close(formula, exponential(x, ct, cs, x0))


@each_schedule
def test_eq_samplers_2m(schedule, rng):
    denoise, x, (cr, ct, cs) = guesses(schedule, rng, R, T, S)
    first, second, last = (step.x for step in samplers.dpmpp_2m(denoise, x, [R, T, S]))
    before, now = denoise(first, R).x0, denoise(second, T).x0
    ell = [c.half_log_snr for c in (cr, ct, cs)]
    D = now + (ell[2] - ell[1]) / (2 * (ell[1] - ell[0])) * (now - before)
    want = cs.sigma / ct.sigma * second + (cs.a - cs.sigma / ct.sigma * ct.a) * D
    torch.testing.assert_close(last, want)


@each_schedule
def test_eq_samplers_heun(schedule, rng):
    denoise, x, (ct, cs) = guesses(schedule, rng, T, S)
    e, y = denoise(x, T).eps, x / ct.a
    ahead = denoise(cs.a * (y + (cs.k - ct.k) * e), S).eps
    want = cs.a * (y + (cs.k - ct.k) * (e + ahead) / 2)
    torch.testing.assert_close(final(samplers.heun(denoise, x, [T, S])), want)


def test_eq_samplers_karras():
    ks = [VE().at(t, torch.empty(0)).k for t in grids.karras(VE(), 18).tolist()[:-1]]
    want = [(80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(18)]
    assert ks == pytest.approx(want, rel=1e-6)
    assert grids.karras(VE(), 18)[-1] == 0


@each_schedule
def test_eq_samplers_churn(schedule, rng):
    denoise, x, (c,) = guesses(schedule, rng, T)
    gamma, scale = 0.3, 1.01
    y_hat, t_hat = churned(denoise, x, T, gamma, scale, torch.Generator().manual_seed(5))
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(5))
    up = schedule.at(t_hat, x)
    assert up.k == pytest.approx((1 + gamma) * c.k)
    want = x / c.a + scale * math.sqrt(up.k**2 - c.k**2) * z
    torch.testing.assert_close(y_hat / up.a, want, rtol=1e-6, atol=1e-8)


@each_schedule
def test_eq_samplers_invert(schedule, rng):
    denoise, x, (ct, cs) = guesses(schedule, rng, T, S)
    up = final(samplers.invert(denoise, x, [0.0, S, T]))
    at_s = [step.x for step in samplers.invert(denoise, x, [0.0, S, T])][1]
    torch.testing.assert_close(up / ct.a, at_s / cs.a + (ct.k - cs.k) * denoise(at_s, S).eps)
