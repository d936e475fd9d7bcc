"""Both sides of every numbered equation of book/guidance.md, on exact mixtures."""

import pytest
import torch

from diffusion_lab import grids, guidance, samplers
from diffusion_lab.denoisers import given
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP
from diffusion_lab.steps import final

T, W = 0.37, 3.5
PROCESS = Gaussian(VP())


@pytest.fixture
def law(rng):
    return GaussianMixture.isotropic(torch.randn(2, 3, generator=rng), 0.7)


@pytest.fixture
def x(rng):
    return torch.randn(5, 3, generator=rng)


def label(law, c):
    return torch.full((5,), law.null if c is None else c)


def gradient(f, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def scores(law, x):
    denoise = law.denoiser(PROCESS)
    return denoise(x, T, label(law, 1)).score, denoise(x, T, label(law, None)).score


def test_eq_guidance_bayes(law, x):
    conditional, unconditional = scores(law, x)
    classifier = gradient(lambda z: law.class_log_prob(PROCESS, z, T)[:, 1], x)
    torch.testing.assert_close(conditional, unconditional + classifier)


def test_eq_guidance_implicit(law, x):
    conditional, unconditional = scores(law, x)
    classifier = gradient(lambda z: law.class_log_prob(PROCESS, z, T)[:, 1], x)
    torch.testing.assert_close(classifier, conditional - unconditional)


def test_eq_guidance_cfg(law, x):
    denoise = law.denoiser(PROCESS)
    good, weak = denoise(x, T, label(law, 1)).eps, denoise(x, T, label(law, None)).eps
    rule = guidance.cfg(denoise, label(law, 1), label(law, None), W)
    torch.testing.assert_close(rule(x, T).eps, weak + W * (good - weak))


def test_eq_guidance_conventions(law, x):
    denoise, g = law.denoiser(PROCESS), W - 1
    good, weak = denoise(x, T, label(law, 1)).eps, denoise(x, T, label(law, None)).eps
    rule = guidance.extrapolate(given(denoise, label(law, 1)), given(denoise, label(law, None)), W)
    torch.testing.assert_close(rule(x, T).eps, (1 + g) * good - g * weak)


def test_eq_guidance_tilted(law, x):
    def tilted(z):
        return law.log_prob(PROCESS, z, T) + W * law.class_log_prob(PROCESS, z, T)[:, 1]

    rule = guidance.cfg(law.denoiser(PROCESS), label(law, 1), label(law, None), W)
    torch.testing.assert_close(rule(x, T).score, gradient(tilted, x))


@pytest.mark.parametrize("w", [2.0, 3.0])
def test_eq_guidance_needle(w):
    v = 0.25
    wide, narrow = (GaussianMixture.isotropic(torch.zeros(1, 1), s).denoiser(PROCESS) for s in (1.0, v**0.5))
    ts = grids.karras(PROCESS.schedule, 2000, k_min=1e-5, k_max=1e9)
    end = final(samplers.heun(guidance.extrapolate(narrow, wide, w), torch.ones(1, 1), ts)).item()
    start = PROCESS.schedule.at(ts[0].item(), torch.ones(1))
    assert end**2 / float(start.a**2 + start.sigma**2) == pytest.approx(v**w, rel=1e-3)
    # The tilted law N(0, 1)^(1 - w) N(0, v)^w: precisions add with their weights.
    grid = torch.linspace(-6, 6, 20_001)
    density = torch.exp(-(grid**2) / 2 * ((1 - w) + w / v))
    variance = torch.trapezoid(density * grid**2, grid) / torch.trapezoid(density, grid)
    assert variance.item() == pytest.approx(1 / (1 - w + w / v), rel=1e-6)


def test_the_reverse_sde_contracts_less_than_the_ode_and_more_than_the_tilt(rng):
    # The page's table at w = 4: v^w = 0.0039 by the ODE, 0.0476 by the reverse SDE, 1/13 for the tilted law.
    v, w, n = 0.25, 4.0, 20_011
    wide, narrow = (GaussianMixture.isotropic(torch.zeros(1, 1), s).denoiser(PROCESS) for s in (1.0, v**0.5))
    ts, x = grids.uniform(400), torch.randn(n, 1, generator=rng)
    end = final(samplers.euler_maruyama(guidance.extrapolate(narrow, wide, w), x, ts, rng))
    sampling, stepping = 4 * (2 / n) ** 0.5, 0.02
    assert end.var().item() == pytest.approx(0.0476, rel=sampling + stepping)


def test_a_shift_is_guided_without_error(rng):
    # The page's exception, and its negative prompt: m_neg + w (m_c - m_neg).
    laws = (GaussianMixture.isotropic(torch.tensor([[m]]), 1.0) for m in (1.0, -0.5))
    rule = guidance.extrapolate(*(law.denoiser(PROCESS) for law in laws), 3.0)
    x, ts = torch.randn(4001, 1, generator=rng), grids.karras(PROCESS.schedule, 60)
    end = final(samplers.heun(rule, x, ts))
    assert end.mean().item() == pytest.approx(-0.5 + 3.0 * 1.5, abs=0.1)
    assert end.std().item() == pytest.approx(1.0, abs=0.05)
