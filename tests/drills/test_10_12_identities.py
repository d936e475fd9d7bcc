"""Drills on the way back, evaluation and text: each answer is what the package computes."""

import torch

from diffusion_lab.drills import load
from diffusion_lab.metrics import images
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP
from diffusion_lab.targets import TARGETS, Prediction


def close(got, expected):
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def test_posterior_mean_is_the_ancestral_step_without_its_noise(rng):
    x, x0 = torch.randn(2, 5, 3, generator=rng)
    process, t, s = Gaussian(VP()), 0.7, 0.31
    pred = Prediction(process.schedule.at(t, x), x, x0, TARGETS["x0"])
    abar_t, abar_s = (process.schedule.at(u, x).a ** 2 * torch.ones(5) for u in (t, s))
    step = process.reverse(x, pred, t, s, torch.zeros_like(x))
    close(load("posterior_mean").answer(x, x0, abar_t, abar_s), step)


def test_frechet_distance_is_frechet():
    for real, fake in load("frechet_distance").cases():
        assert abs(load("frechet_distance").answer(real, fake) - images.frechet(real, fake)) < 1e-9


def test_kernel_distance_is_kid():
    for real, fake in load("kernel_distance").cases():
        assert abs(load("kernel_distance").answer(real, fake) - images.kid(real, fake)) < 1e-12


def test_support_precision_is_precision_and_with_the_sets_exchanged_recall():
    answer = load("support_precision").answer
    for real, fake, k in load("support_precision").cases():
        assert (answer(real, fake, k), answer(fake, real, k)) == images.precision_recall(real, fake, k)


def test_at_infinity_takes_out_a_bias_of_c_over_n():
    for n, _, m, _ in load("at_infinity").cases():
        limit, c = 2.3, 711.0
        assert abs(load("at_infinity").answer(n, limit + c / n, m, limit + c / m) - limit) < 1e-9
