"""Each drill's answer is what the package itself computes."""

import pytest
import torch

from diffusion_lab.coefficients import Coef
from diffusion_lab.denoisers import Denoiser, Rule
from diffusion_lab.drills import load
from diffusion_lab.grids import karras, shifted
from diffusion_lab.losses import WEIGHTS, denoising
from diffusion_lab.oracles import Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import ancestral, ddim
from diffusion_lab.schedules import VE, VP, Flow, Shifted, Table
from diffusion_lab.solvers import heun
from diffusion_lab.targets import TARGETS, Prediction, x0_weight
from diffusion_lab.training import dropped, warmed_ema


def close(got, expected):
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def toy_eps(process, x, t):
    """A nonlinear network: exact agreement on it is agreement."""
    return Prediction(process.schedule.at(t, x), x, torch.sin(2 * x) + x / 3, TARGETS["eps"])


def network(process):
    """The same as something to sample from."""
    return Rule(process, lambda x, t, cond: toy_eps(process, x, t))


def test_q_sample_is_diffuse(rng):
    x0, eps = torch.randn(2, 7, 3, 5, generator=rng)
    t = torch.rand(7, generator=rng)
    abar = VP().a(t) ** 2
    close(load("q_sample").answer(x0, eps, abar), Gaussian(VP()).diffuse(x0, t, eps))


def test_training_loss_is_denoising(rng):
    x0, noise = torch.randn(2, 5, 1, 3, 7, generator=rng)
    t = torch.rand(5, generator=rng)
    schedule = VP()

    def net(x, t, cond=None):
        return torch.sin(x) * t.view(-1, 1, 1, 1)

    own = load("training_loss").answer(net, x0, t, noise, schedule.a(t), schedule.sigma(t))
    close(own, denoising(Denoiser(net, Gaussian(schedule)), x0, t, noise))


def test_ema_weights_is_what_the_trainer_keeps(rng):
    for n in (1, 5, 400):
        average, weights = torch.randn(2, 3, 7, generator=rng)
        expected = average.clone()
        warmed_ema(0.97)([expected], [weights], torch.tensor(n))
        close(load("ema_weights").answer(average, weights, 0.97, n), expected)


def test_drop_labels_is_dropped(rng):
    labels = torch.randint(0, 10, (31,), generator=rng)
    state = rng.get_state()
    expected = dropped(labels, 0.3, 10, rng)
    u = torch.rand(31, generator=rng.set_state(state))
    assert torch.equal(load("drop_labels").answer(labels, u, 0.3, 10), expected)
    assert 0 < (expected == 10).sum() < 31


def test_decode_is_a_prediction_for_every_target(rng):
    x, y = torch.randn(2, 5, 3, generator=rng)
    for schedule in (VP(), Flow()):
        c = schedule.at(0.37, x)
        for target in TARGETS.values():
            pred = Prediction(c, x, y, target)
            x0, eps = load("decode").answer(x, y, c.a, c.sigma, *target(c))
            close(x0, pred.x0)
            close(eps, pred.eps)


def test_min_snr_for_v_is_the_weight_of_the_loss():
    c = Coef(VP(), torch.linspace(0.05, 0.95, 11))
    expected = WEIGHTS["min_snr"](5.0)(c.snr) / x0_weight(TARGETS["v"], c)
    close(load("min_snr_for_v").answer(c.snr, 5.0), expected)


def test_cosine_betas_is_the_cosine_table():
    close(load("cosine_betas").answer(97, 0.008, 0.999), Table.cosine(97).beta)


def test_shift_time_shifts_the_grid_and_the_schedule():
    t = torch.linspace(0, 1, 13)
    moved = load("shift_time").answer(t, 3.0)
    close(moved, shifted(t, 3.0))
    close(Flow().sigma(moved), Shifted(Flow(), 3.0).sigma(t))


def test_ddim_step_is_a_step_of_ddim(rng):
    process, x = Gaussian(VP()), torch.randn(5, 3, generator=rng)
    t, s = 0.6, 0.2
    steps = list(ddim(network(process), x, [t, s, 0.0]))
    ct, cs = process.schedule.at(t, x), process.schedule.at(s, x)
    close(load("ddim_step").answer(x, steps[0].pred.eps, ct.a, ct.sigma, cs.a, cs.sigma), steps[1].x)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_eta_step_is_a_step_of_ancestral(eta, rng):
    process, x = Gaussian(VP()), torch.randn(5, 3, generator=rng)
    t, s = 0.6, 0.2
    state = rng.get_state()
    steps = list(ancestral(network(process), x, [t, s, 0.0], rng, eta=eta))
    z = torch.randn(5, 3, generator=rng.set_state(state))
    abar_t, abar_s = (process.schedule.at(k, x).a ** 2 for k in (t, s))
    close(load("eta_step").answer(x, steps[0].pred.eps, z, eta, abar_t, abar_s), steps[1].x)


def test_heun_step_is_a_step_of_heun(rng):
    process, x = Gaussian(VP()), torch.randn(5, 3, generator=rng)
    t, s = 0.6, 0.2
    steps = list(heun(network(process), x, [t, s, 0.0]))
    ct, cs = process.schedule.at(t, x), process.schedule.at(s, x)

    def slope(u, k):
        c = ct if k == ct.k else cs
        return toy_eps(process, c.a * u, t if k == ct.k else s).eps

    close(cs.a * load("heun_step").answer(slope, x / ct.a, ct.k, cs.k), steps[1].x)


def test_karras_levels_are_the_grid_of_karras():
    schedule = VE(sigma_min=0.001, sigma_max=100.0)
    ts = karras(schedule, 11)
    k = schedule.sigma(ts)
    torch.testing.assert_close(load("karras_levels").answer(11, 7.0, 0.002, 80.0), k, rtol=1e-9, atol=1e-9)


def test_two_point_denoiser_is_the_memoriser_of_two_points(rng):
    process, data = Gaussian(VP()), torch.tensor([[-1.0], [1.0]])
    x = torch.randn(7, 1, generator=rng)
    c = process.schedule.at(0.4, x)
    own = load("two_point_denoiser").answer(x, c.a, c.sigma)
    close(own, Points(data).denoiser(process)(x, 0.4).x0)


def test_from_log_snr_inverts_the_schedule():
    c = Coef(VP(), torch.linspace(0.05, 1, 11))
    a, sigma = load("from_log_snr").answer(2 * c.half_log_snr)
    close(a, c.a)
    close(sigma, c.sigma)
