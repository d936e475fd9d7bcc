"""Drills on guidance, score, likelihood, families and serving: each answer is what the package computes."""

import math

import pytest
import torch

from diffusion_lab import guidance
from diffusion_lab.baselines import GAN, Adversarial
from diffusion_lab.data import load_digits
from diffusion_lab.denoisers import Denoiser, Rule
from diffusion_lab.drills import load
from diffusion_lab.likelihood import bits_per_dim
from diffusion_lab.models.vae import KL
from diffusion_lab.oracles import GaussianMixture, Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.quality import digit_scores
from diffusion_lab.samplers import euler_maruyama
from diffusion_lab.schedules import VE, VP, Cosine
from diffusion_lab.targets import TARGETS, Prediction

from ..laws import mixture


def test_guided_eps_is_cfg():
    answer = load("guided_eps").answer
    for net, x, t, cond, null, w in load("guided_eps").cases():
        rule = guidance.cfg(Denoiser(net, Gaussian(Cosine()), "eps"), cond, null, w)
        torch.testing.assert_close(rule(x, t).eps, answer(net, x, t, cond, null, w))


def believing(process, x0):
    return Rule(process, lambda x, t, _: Prediction(process.schedule.at(t, x), x, x0, TARGETS["x0"]))


def test_dynamic_threshold_is_thresholded():
    process = Gaussian(VP())
    for x0, percentile in load("dynamic_threshold").cases():
        got = guidance.thresholded(believing(process, x0), percentile)(torch.zeros_like(x0), 0.5).x0
        torch.testing.assert_close(load("dynamic_threshold").answer(x0, percentile), got)


def test_rescale_guidance_is_rescaled(rng):
    null, cond = torch.randn(2, 5, 2, 3, generator=rng)
    guided = guidance.linear(null, cond, 6.0)
    want = guidance.rescaled(0.3)(null, cond, 6.0)
    torch.testing.assert_close(load("rescale_guidance").answer(cond, guided, 0.3), want)


@pytest.mark.parametrize(("v", "w", "t"), [(0.25, 4.0, 0.3), (0.5, 2.0, 0.6)])
def test_the_first_of_two_tilts_is_the_variance_that_guidance_believes(v, w, t):
    process, x = Gaussian(VP()), torch.tensor([[0.7]])
    everything, narrow = (
        GaussianMixture.isotropic(torch.zeros(1, 1), std).denoiser(process) for std in (1.0, v**0.5)
    )
    score = guidance.extrapolate(narrow, everything, w)(x, t).score.item()
    abar = process.schedule.at(t, x).a ** 2
    assert load("two_tilts").answer(v, w, abar)[0] == pytest.approx(-0.7 / score)


@pytest.mark.parametrize(("v", "w", "t"), [(0.25, 4.0, 0.3), (0.5, 2.0, 0.6)])
def test_the_second_of_two_tilts_is_the_variance_of_the_tilted_law_after_noise(v, w, t):
    # The tilted clean density p(x) p(c | x)^w = N(x; 0, 1)^(1 - w) N(x; 0, v)^w on a grid, then noise.
    x = torch.linspace(-12, 12, 24001)
    density = torch.exp(-(x**2) / 2 * ((1 - w) + w / v))
    variance = (x**2 * density).sum() / density.sum()
    c = VP().at(t, x)
    want = (c.a**2 * variance + c.sigma**2).item()
    assert load("two_tilts").answer(v, w, c.a**2)[1] == pytest.approx(want)


def test_tweedie_turns_the_exact_score_into_the_exact_mean(rng):
    x, t = torch.randn(5, 3, generator=rng), torch.linspace(0.1, 0.9, 5)
    pred = mixture(rng).denoiser(Gaussian(VP()))(x, t)
    c = VP().at(t, t)
    torch.testing.assert_close(load("tweedie").answer(x, pred.score, c.a, c.sigma), pred.x0)


@pytest.mark.parametrize("eta", [0.0, 1.0, 1.7])
def test_a_reverse_drift_is_the_one_of_euler_maruyama(eta, rng):
    law, t, s = mixture(rng), 0.6, 0.55
    denoise, x = law.denoiser(Gaussian(VP())), torch.randn(5, 3, generator=rng)
    walk = euler_maruyama(denoise, x, [t, s, 0.0], torch.Generator().manual_seed(7), eta=eta)
    next(walk)
    z = torch.randn(x.shape, generator=torch.Generator().manual_seed(7))
    c = VP().at(t, x)
    g = (2 * c.sigma * (c.d_sigma - c.sigma * c.d_a / c.a)) ** 0.5
    drift = load("reverse_drift").answer(x, denoise(x, t).score, c.d_a / c.a, g, eta * g)
    torch.testing.assert_close(x - (t - s) * drift + eta * g * (t - s) ** 0.5 * z, next(walk).x)


def test_the_memoriser_is_the_oracle_of_points():
    for x, data, a, sigma in load("memoriser").cases():
        schedule = VE(0.001, 10.0)  # a = 1: the data scaled by a are the data of this path
        t = schedule.t_at(torch.tensor(-math.log(sigma))).item()
        want = Points((a * data).double()).denoiser(Gaussian(schedule))(x.double(), t).x0 / a
        torch.testing.assert_close(load("memoriser").answer(x.double(), data.double(), a, sigma), want)


def test_bits_from_density_are_bits_per_dim_of_bins():
    for log_p, dims, levels in load("bits_from_density").cases():
        nats = -log_p - dims * math.log(2 / (levels - 1))
        got = load("bits_from_density").answer(log_p, dims, levels)
        torch.testing.assert_close(got, bits_per_dim(nats, dims))


def test_vae_loss_is_a_normal_decoder_and_the_bottleneck_s_price():
    for x, mean, mu, logvar, std in load("vae_loss").cases():
        decoder = -torch.distributions.Normal(mean, std).log_prob(x).flatten(1).sum(1)
        h = torch.cat([mu, logvar], 1)[..., None, None]
        price = KL(mu.shape[1], weight=1.0)(h, torch.zeros_like(mu)[..., None, None]).price
        torch.testing.assert_close(load("vae_loss").answer(x, mean, mu, logvar, std), decoder + price)


def test_gan_losses_are_the_two_terms_of_the_adversarial_objective(rng):
    model, x0 = GAN(width=7, depth=2), torch.randn(5, 2, generator=rng)
    got = Adversarial(model)(x0, None, torch.Generator().manual_seed(3)).mean()
    fake = model.sample(5, torch.Generator().manual_seed(3))
    critic, generator = load("gan_losses").answer(model.critic(x0)[:, 0], model.critic(fake)[:, 0])
    torch.testing.assert_close(critic + generator, got)


@pytest.mark.float32
def test_nearer_to_training_is_the_score_on_the_cards(rng):
    train, (test, labels) = load_digits()[0], load_digits(split="test")
    samples = (train[: len(test)] + 0.6 * torch.randn(test.shape, generator=rng)).clamp(-1, 1)
    want = digit_scores(samples, labels)["nearer_to_training"]
    assert 0 < want < 1
    assert round(load("nearer_to_training").answer(samples, train, test), 3) == want


def test_steps_in_budget_is_the_most_that_fits():
    for budget, encoder, decoder, forward, w in load("steps_in_budget").cases():
        steps = load("steps_in_budget").answer(budget, encoder, decoder, forward, w)
        calls = []

        def net(x, t, cond, calls=calls):
            calls.append(t)
            return x

        denoise = Denoiser(net, Gaussian(VP()), "eps")
        guidance.cfg(denoise, torch.tensor([0]), torch.tensor([1]), w)(torch.zeros(1, 2), 0.5)
        cost = [encoder + n * len(calls) * forward + decoder for n in (steps, steps + 1)]
        assert steps == 0 or cost[0] <= budget
        assert cost[1] > budget
