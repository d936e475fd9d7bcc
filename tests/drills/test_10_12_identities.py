"""Drills on the way back, evaluation and text: each answer is what the package computes."""

import torch

from diffusion_lab.denoisers import Rule
from diffusion_lab.drills import load
from diffusion_lab.losses import masked
from diffusion_lab.metrics import images
from diffusion_lab.processes import Categorical, Gaussian, TokenNoise
from diffusion_lab.schedules import VP, Flow
from diffusion_lab.targets import TARGETS, Prediction
from diffusion_lab.text.logits import extrapolated
from diffusion_lab.text.unmask import confidence, quota


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


def test_reveal_step_reveals_as_often_as_the_process():
    process, n, t, s = Categorical.masked(Flow(), 5), 1009, 0.7, 0.31
    x, drawn = torch.full((1, n), 5), torch.full((1, n), 3)
    even = (torch.arange(n)[None] + 0.5) / n  # every quantile of the coin once
    shown = load("reveal_step").answer(x, drawn, even, 1 - t, 1 - s, 5) == 3
    p0 = torch.eye(6)[drawn[:, :1]]
    expected = process.reverse_probs(x[:, :1], p0, t, s)[0, 0, 3]
    assert abs(shown.double().mean() - expected) < 1 / n


def test_masked_nelbo_is_the_masked_loss():
    for log_p, x0, x, t, mask in load("masked_nelbo").cases():
        log_p, t = log_p.double(), t.double()
        denoise = Rule(Categorical.masked(Flow(), mask), lambda *_, log_p=log_p: log_p)
        # u = 1 hides a token, u = 0 shows it, whatever t.
        noise = TokenNoise((x == mask).double(), torch.full_like(x, mask))
        close(load("masked_nelbo").answer(log_p, x0, x, t, mask), masked(denoise, x0, t, noise))


def test_guided_logits_are_the_extrapolated_ones():
    for null, cond, w in load("guided_logits").cases():
        torch.testing.assert_close(load("guided_logits").answer(null, cond, w), extrapolated(null, cond, w))


def test_most_confident_is_the_quota_of_the_confident_order(rng):
    log_p = (2 * torch.randn(3, 11, 5, generator=rng)).log_softmax(-1)
    drawn, hidden = torch.randint(5, (3, 11), generator=rng), torch.ones(3, 11, dtype=torch.bool)
    hidden[:, 7:] = False
    for k in (1, 3, 7):
        plan = quota(confidence)(log_p, drawn, hidden, torch.rand(3, 11, generator=rng), 1 - k / 7)
        assert torch.equal(load("most_confident").answer(log_p, drawn, hidden, k), plan)
