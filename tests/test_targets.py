"""Targets: round trips, hidden weights, and the identities between them."""

import itertools
import math

import pytest
import torch

from diffusion_lab.denoisers import Denoiser
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine, Flow, Table
from diffusion_lab.targets import TARGETS, Prediction, edm, encode, mix, target_named, x0_weight

from .laws import SCHEDULES, VARIANCE_PRESERVING


def noisy(schedule, rng, shape=(11, 7, 5)):
    x0, eps = torch.randn(2, *shape, generator=rng)
    c = schedule.at(torch.rand(shape[0], generator=rng) * 0.9 + 0.05, x0)
    return c, x0, eps, c.a * x0 + c.sigma * eps


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("name", TARGETS)
def test_every_target_decodes_to_what_was_encoded(schedule, name, rng):
    c, x0, eps, x = noisy(schedule, rng)
    target = TARGETS[name]
    pred = Prediction(c, x, encode(target, c, x0, eps), target)
    torch.testing.assert_close(pred.x0, x0, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(pred.eps, eps, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(pred.velocity, c.d_a * x0 + c.d_sigma * eps, rtol=1e-7, atol=1e-6)
    torch.testing.assert_close(pred.score, -eps / c.sigma, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("name", TARGETS)
def test_a_loss_in_any_target_is_a_weighted_loss_in_x0(schedule, name, rng):
    c, x0, eps, x = noisy(schedule, rng)
    x0_hat = x0 + 0.1 * torch.randn(x0.shape, generator=rng)
    eps_hat = (x - c.a * x0_hat) / c.sigma
    y, y_hat = (encode(TARGETS[name], c, *pair) for pair in ((x0, eps), (x0_hat, eps_hat)))
    torch.testing.assert_close((y - y_hat) ** 2, x0_weight(TARGETS[name], c) * (x0 - x0_hat) ** 2)


def test_hidden_weights_in_closed_form():
    like, t = torch.empty(7, 2), torch.linspace(0.1, 0.9, 7)
    for schedule in (VP(), Cosine(), Flow()):
        c = schedule.at(t, like)
        torch.testing.assert_close(x0_weight(TARGETS["eps"], c), c.snr)
    c = VP().at(t, like)
    torch.testing.assert_close(x0_weight(TARGETS["v"], c), c.snr + 1)
    c = Flow().at(t, like)
    torch.testing.assert_close(x0_weight(TARGETS["velocity"], c), 1 / c.sigma**2)


@pytest.mark.parametrize("schedule", VARIANCE_PRESERVING.values(), ids=VARIANCE_PRESERVING)
def test_edm_with_unit_data_is_minus_v(schedule, rng):
    c, x0, eps, _ = noisy(schedule, rng)
    torch.testing.assert_close(encode(edm(1.0), c, x0, eps), -encode(TARGETS["v"], c, x0, eps))


def test_v_is_the_velocity_in_angle(rng):
    # On a = cos phi, sigma = sin phi: dx/dphi = v, and phi = pi t / 2.
    c, x0, eps, _ = noisy(Cosine(offset=0.0), rng)
    v, u = (encode(TARGETS[name], c, x0, eps) for name in ("v", "velocity"))
    torch.testing.assert_close(u, math.pi / 2 * v)


def test_edm_target_is_the_papers_preconditioning(rng):
    # D = c_skip x + c_out F with EDM's coefficients, on the variance-exploding path (EDM table 1).
    sigma_data = 0.5
    c, x0, eps, x = noisy(SCHEDULES["ve"], rng)
    c_skip = sigma_data**2 / (c.sigma**2 + sigma_data**2)
    c_out = c.sigma * sigma_data / torch.sqrt(c.sigma**2 + sigma_data**2)
    raw = encode(edm(sigma_data), c, x0, eps)
    torch.testing.assert_close(c_skip * x + c_out * raw, x0, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("schedule", "name"), [(Cosine(offset=0.0), "v"), (Flow(), "velocity")])
def test_v_on_cosine_and_velocity_on_the_line_weigh_noise_levels_alike(schedule, name):
    # As weights on the eps loss per unit of log SNR, both are exp(-lambda / 2)   (Kingma & Gao 2023).
    t = torch.linspace(0.1, 0.9, 17, requires_grad=True)
    log_snr = 2 * schedule.half_log_snr(t)
    (d_log_snr,) = torch.autograd.grad(log_snr.sum(), t)
    c = schedule.at(t.detach(), torch.empty(17, 1))
    eps_weight = (x0_weight(TARGETS[name], c) / c.snr).flatten() / -d_log_snr
    shape = eps_weight / torch.exp(-log_snr / 2)
    torch.testing.assert_close(shape, shape[:1].expand(17))


def test_mix_skips_work_but_not_terms(rng):
    x, y = torch.randn(2, 5, generator=rng)
    for p, q in itertools.product((0.0, 1.0, -0.3), (0.0, 1.0, 0.7)):
        if p or q:
            torch.testing.assert_close(mix(p, x, q, y), p * x + q * y)


def test_a_target_that_cannot_be_read_says_so():
    x = torch.zeros(2, 3)
    for schedule in (Flow(), Cosine(), Table.scaled_linear().zero_snr()):
        pred = Prediction(schedule.at(1.0, x), x, x, TARGETS["eps"])
        with pytest.raises(ValueError, match=r"at t = 1, where a = .*start at or below t_max"):
            _ = pred.x0
    pred = Prediction(Flow().at(torch.tensor([0.5, 1.0]), x), x, x, TARGETS["eps"])
    with pytest.raises(ValueError, match="start at or below t_max"):
        _ = pred.x0
    pred = Prediction(Flow().at(0.0, x), x, x, TARGETS["x0"])
    with pytest.raises(ValueError, match="adds nothing to x_t at t = 0"):
        _ = pred.eps
    with pytest.raises(ValueError, match="score is undefined at t = 0"):
        encode(TARGETS["score"], Flow().at(0.0, x), x, x)


def test_unknown_targets_suggest_the_nearest():
    with pytest.raises(ValueError, match=r"no target 'epsilon': did you mean 'eps'\?.*velocity"):
        target_named("epsilon")


def test_sampling_starts_where_the_target_can_be_read():
    def net(x, t, cond):
        return x

    for schedule in (Flow(), Cosine()):
        assert Denoiser(net, Gaussian(schedule), "eps").t_max == schedule.t_max < 1
        for name in ("x0", "v", "velocity", "edm"):
            assert Denoiser(net, Gaussian(schedule), name).t_max == 1
