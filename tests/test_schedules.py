"""Schedules: end points, monotonicity, slopes, inverse, published tables."""

import math

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

from diffusion_lab.schedules import VP, Cosine, Flow, Shifted, Table

from .laws import SCHEDULES

each_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


@each_schedule
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_t_0_is_data_and_the_path_falls_into_noise(schedule, dtype):
    t = torch.linspace(0, 1, 103, dtype=dtype)
    a, sigma = schedule.a(t), schedule.sigma(t)
    assert a[0] == pytest.approx(1, abs=1e-6)
    assert sigma[0] == 0
    assert a.isfinite().all()
    assert sigma.isfinite().all()
    assert (schedule.half_log_snr(t[1:-1]).diff() < 0).all()


@each_schedule
def test_the_family_norm_stays_one(schedule):
    t = torch.linspace(0, 1, 101)
    torch.testing.assert_close(schedule.norm(schedule.a(t), schedule.sigma(t)), torch.ones(101))


@each_schedule
def test_slopes_are_the_derivatives(schedule):
    # Between the knots of the tables, where they are smooth.
    t, h = (torch.arange(31) + 0.37) / 31.7 * 0.97 + 0.01, 1e-7
    c = schedule.at(t, torch.zeros(31, 2))
    for f, slope in ((schedule.a, c.d_a), (schedule.sigma, c.d_sigma)):
        torch.testing.assert_close(slope.squeeze(1), (f(t + h) - f(t - h)) / (2 * h), rtol=1e-5, atol=1e-6)


@each_schedule
def test_a_number_and_a_tensor_of_times_agree(schedule):
    t = torch.tensor([0.13, 0.5, 0.83])
    c = schedule.at(t, torch.zeros(3, 2, 5))
    assert c.a.shape == (3, 1, 1)
    for i, number in enumerate(t.tolist()):
        one = schedule.at(number, torch.zeros(3, 2, 5))
        for name in ("a", "sigma", "d_a", "d_sigma", "k", "snr", "half_log_snr"):
            value = getattr(one, name)
            assert isinstance(value, float)
            assert value == pytest.approx(getattr(c, name)[i].item(), rel=1e-12), name


@each_schedule
def test_inverse_clock(schedule):
    t = torch.linspace(0.02, 0.98, 37)
    torch.testing.assert_close(schedule.t_at(schedule.half_log_snr(t)), t, atol=1e-9, rtol=0)


def test_sigma_keeps_its_digits_near_data():
    for schedule in (VP(), Cosine(), Cosine(0.0), Flow(), Table.linear()):
        t = torch.tensor([1e-5, 1e-4, 1e-3])
        torch.testing.assert_close(schedule.sigma(t.float()).double(), schedule.sigma(t), rtol=2e-6, atol=0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Table.linear, {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}),
        (Table.scaled_linear, {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}),
        (Table.cosine, {"beta_schedule": "squaredcos_cap_v2"}),
    ],
    ids=["linear", "scaled-linear", "cosine"],
)
def test_tables_equal_the_published_ones(ours, theirs):
    torch.testing.assert_close(ours().beta, DDPMScheduler(**theirs).betas.double(), rtol=2e-5, atol=1e-8)


def test_terminal_snr_of_known_schedules():
    # Stable Diffusion (Lin et al. 2024, table 1), DDPM, and the one beta that the cosine table clips.
    assert Table.scaled_linear().at(1.0, torch.empty(0)).a == pytest.approx(0.068265, abs=5e-7)
    assert Table.linear().at(1.0, torch.empty(0)).snr == pytest.approx(4.04e-5, rel=2e-3)
    assert (Table.cosine().beta > 0.998999).sum() == 1


def test_unscaled_short_table_never_reaches_noise():
    # 100 steps with the betas meant for 1000.
    unscaled = Table.from_beta(torch.linspace(1e-4, 0.02, 100))
    assert unscaled.at(1.0, torch.empty(0)).a == pytest.approx(0.603, abs=1e-3)
    assert Table.linear(100).at(1.0, torch.empty(0)).a < 0.01


def test_zero_terminal_snr():
    base = Table.scaled_linear()
    ours = base.zero_snr()
    theirs = rescale_zero_terminal_snr(base.beta.clone())
    assert ours.at(1.0, torch.empty(0)).a == pytest.approx(0, abs=1e-16)
    torch.testing.assert_close(ours.a(torch.tensor(1 / 1000)), base.a(torch.tensor(1 / 1000)))
    torch.testing.assert_close(ours.beta[:-1], theirs[:-1], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", ["flow", "vp", "cosine", "ve", "linear table"])
def test_a_shift_moves_log_snr_by_a_constant(name):
    t, kappa = torch.linspace(0.05, 0.95, 31), 3.0
    base = SCHEDULES[name]
    moved = Shifted(base, kappa).half_log_snr(t) - base.half_log_snr(t)
    torch.testing.assert_close(2 * moved, torch.full((31,), -2 * math.log(kappa)))


def test_a_shift_of_the_straight_line_is_its_clock():
    t, kappa = torch.linspace(0, 1, 11), 3.0
    clock = kappa * t / (1 + (kappa - 1) * t)
    torch.testing.assert_close(Shifted(Flow(), kappa).sigma(t), clock)


def test_t_max_is_where_the_data_are_gone_but_not_lost():
    assert VP().t_max == 1.0
    for schedule in (Flow(), Cosine(), SCHEDULES["zero-SNR table"]):
        assert schedule.at(schedule.t_max, torch.empty(0)).snr == pytest.approx(4.04e-5, rel=1e-6)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda: VP().at(torch.zeros(3), torch.zeros(4, 2)), r"one time per example with shape \(4,\)"),
        (lambda: VP().at(torch.zeros(4, 1), torch.zeros(4, 2)), "one time per example"),
        (lambda: VP().at(torch.tensor([0.5, 1.5]), torch.zeros(2, 2)), r"times lie in \[0, 1\]"),
        (lambda: VP().at(torch.tensor([0.5, math.nan]), torch.zeros(2, 2)), r"times lie in \[0, 1\]"),
        (lambda: VP().at(-0.1, torch.zeros(2, 2)), r"times lie in \[0, 1\]"),
        (lambda: VP().at(math.nan, torch.zeros(2, 2)), r"times lie in \[0, 1\]"),
        (lambda: Table.from_beta(torch.tensor([0.1, 0.0])), "each variance lies in"),
        (lambda: Table.linear(19), "use T >= 20"),
        (lambda: Shifted(Flow(), 0.0), "above 0"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(bad, sentence):
    with pytest.raises(ValueError, match=sentence):
        bad()
