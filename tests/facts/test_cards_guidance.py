"""Numbers that the cards on guidance and flow matching print, each against a closed form or an exact law."""

import math
from itertools import permutations

import pytest
import torch

from diffusion_lab import grids, guidance, samplers
from diffusion_lab.denoisers import Rule
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import final
from diffusion_lab.schedules import VP, Cosine, Flow
from diffusion_lab.targets import TARGETS, Prediction

from ..laws import SCHEDULES, mixture


def bell(process, mean, var):
    """The exact denoiser of N(mean, var) in one dimension."""
    return GaussianMixture.isotropic(torch.full((1, 1), float(mean)), var**0.5).denoiser(process)


@pytest.mark.parametrize("v", [0.25, 0.5])
@pytest.mark.parametrize("w", [2.0, 4.0])
def test_half_way_the_tilted_noised_law_is_narrower_than_the_noised_tilted_law(v, w):
    # Unconditional N(0, 1), class N(0, v), at a^2 = sigma^2 = 1/2. A score -x / var at x = 1 shows var.
    process = Gaussian(Cosine(offset=0.0))
    rule = guidance.extrapolate(bell(process, 0, v), bell(process, 0, 1), w)
    noised_then_tilted = -1 / rule(torch.ones(1, 1), 0.5).score.item()
    tilted_then_noised = 0.5 / (1 - w + w / v) + 0.5
    assert noised_then_tilted == pytest.approx(1 / (1 - w + 2 * w / (v + 1)))
    assert noised_then_tilted < tilted_then_noised
    if (v, w) == (0.25, 4.0):
        assert (noised_then_tilted, tilted_then_noised) == (
            pytest.approx(0.294, abs=5e-4),
            pytest.approx(7 / 13),
        )


@pytest.mark.parametrize(("away", "towards", "w"), [(0.0, 1.0, 4.0), (-1.0, 0.0, 3.0), (2.0, 0.5, 7.5)])
def test_laws_that_differ_by_a_shift_are_guided_to_the_extrapolated_mean(away, towards, w):
    # N(m, v) noised is N(a m, a^2 v + sigma^2) for both: the tilt only moves the mean, at every noise level.
    v, process = 0.36, Gaussian(VP())
    rule = guidance.extrapolate(bell(process, towards, v), bell(process, away, v), w)
    ts = grids.karras(process.schedule, 2000, k_min=1e-4, k_max=1e6)
    start = process.schedule.at(ts[0].item(), torch.empty(0))
    # The map is affine, so two starts one deviation of the noised tilted law to either side show it.
    mean, std = start.a * (away + w * (towards - away)), (start.a**2 * v + start.sigma**2) ** 0.5
    low, high = final(samplers.heun(rule, torch.tensor([[mean - std], [mean + std]]), ts)).flatten().tolist()
    assert (high + low) / 2 == pytest.approx(away + w * (towards - away), rel=1e-3)
    assert (high - low) / 2 == pytest.approx(v**0.5, rel=1e-3)


def test_the_tilted_law_of_two_modes_hardly_moves():
    # 1/2 N(-1, 1/4) + 1/2 N(1, 1/4), right mode, w = 4. The ODE ends at mean 1.67 and deviation 0.29.
    x = torch.linspace(-8, 8, 40001)
    right, left = (torch.exp(-2 * (x - m) ** 2) for m in (1.0, -1.0))
    density = (right + left) * (right / (right + left)) ** 4.0
    density /= density.sum()
    mean = (x * density).sum()
    assert mean.item() == pytest.approx(1.06, abs=5e-3)
    assert (density * (x - mean) ** 2).sum().sqrt().item() == pytest.approx(0.45, abs=5e-3)


def test_a_classifier_of_clean_points_is_too_sure_about_noisy_ones():
    # Classes N(-1, 1/4) and N(1, 1/4): log odds 8 x on clean points, 2.26 x at a^2 = sigma^2 = 1/2.
    law = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]), 0.5)
    process = Gaussian(Cosine(offset=0.0))

    def slope(t):
        log_p = law.class_log_prob(process, torch.ones(1, 1), t)[0]
        return (log_p[1] - log_p[0]).item()

    assert slope(0.0) == pytest.approx(8)
    assert slope(0.5) == pytest.approx(2 * 0.5**0.5 / (0.5 * 0.25 + 0.5))
    assert slope(0.5) == pytest.approx(2.26, abs=5e-3)


@pytest.mark.parametrize("p", [0.5, 0.6, 0.9])
def test_one_euler_step_from_noise_gives_the_mean_of_two_points_and_many_give_the_points(p, rng):
    law = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]), 1e-4, torch.tensor([1 - p, p]))
    denoise, z = law.denoiser(Gaussian(Flow())), torch.randn(101, 1, generator=rng)
    once = final(samplers.euler(denoise, z, [1.0, 0.0]))
    torch.testing.assert_close(once, torch.full_like(once, 2 * p - 1))
    often = final(samplers.euler(denoise, z, grids.uniform(200)))
    torch.testing.assert_close(often.abs(), torch.ones_like(often), atol=2e-3, rtol=0)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_noise_prediction_is_a_velocity(schedule, rng):
    x, eps, t = torch.randn(5, 3, generator=rng), torch.randn(5, 3, generator=rng), 0.4
    c = schedule.at(t, x)
    velocity = c.d_a / c.a * (x - c.sigma * eps) + c.d_sigma * eps
    torch.testing.assert_close(Prediction(c, x, eps, TARGETS["eps"]).velocity, velocity)


def test_a_variance_preserving_checkpoint_runs_as_a_flow(rng):
    # Divide x by a + sigma and read the clock as sigma / (a + sigma): Euler on the line is then DDIM on VP.
    law, vp, flow = mixture(rng), Gaussian(Cosine()), Gaussian(Flow())
    trained = law.denoiser(vp)

    def as_flow(x, u, cond):
        t = vp.schedule.t_at(flow.schedule.half_log_snr(torch.tensor(u))).item()
        c = vp.schedule.at(t, x)
        return Prediction(
            flow.schedule.at(u, x), x, trained(x * (c.a + c.sigma), t, cond).eps, TARGETS["eps"]
        )

    ts = [0.9, 0.7, 0.4, 0.15, 0.0]
    sums = [vp.schedule.at(t, torch.empty(0)) for t in ts]
    x = torch.randn(7, 3, generator=rng)
    want = final(samplers.ddim(trained, x, ts))
    us = [c.sigma / (c.a + c.sigma) for c in sums]
    got = final(samplers.euler(Rule(flow, as_flow), x / (sums[0].a + sums[0].sigma), us))
    torch.testing.assert_close(got, want)


def test_sorted_pairs_give_each_class_its_own_half_of_the_noise(rng):
    # In one dimension the optimal pairing sorts both sides. The upper half of the data then trains on the
    # upper half of the noise, whose mean is sqrt(2 / pi) = 0.80 and not 0.
    noise, data = torch.randn(7, generator=rng).sort().values, torch.randn(7, generator=rng).sort().values
    cost = {order: ((noise[list(order)] - data) ** 2).sum().item() for order in permutations(range(7))}
    assert min(cost, key=cost.get) == tuple(range(7))
    quantiles = torch.special.ndtri((torch.arange(20002) + 0.5) / 20002)
    assert quantiles[10001:].mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=1e-4)
    assert quantiles[10001:].mean().item() == pytest.approx(0.80, abs=5e-3)


def test_two_rules_for_the_shift_disagree_outside_the_sizes_they_were_made_for():
    # SD3: kappa = 3 at 1024^2, times the ratio of the sides. FLUX: log kappa linear in the tokens of 16^2
    # pixels, 0.5 at 256 and 1.15 at 4096.
    def flux(side):
        return math.exp(0.5 + (1.15 - 0.5) * ((side / 16) ** 2 - 256) / (4096 - 256))

    assert [flux(256), flux(1024)] == pytest.approx([1.65, 3.16], abs=5e-3)
    assert flux(2048) == pytest.approx(25, abs=0.5)
