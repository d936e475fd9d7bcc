"""Grids fall to exactly 0 with n calls; training times follow their laws."""

import math

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.grids import LAWS
from diffusion_lab.schedules import VE, VP, Cosine, Flow, Shifted

from .laws import SCHEDULES


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("make", [grids.karras, grids.log_snr])
def test_grids_in_sigma_over_a(schedule, make):
    ts = make(schedule, 11)
    assert ts.dtype == torch.float64
    assert len(ts) == 12
    assert (ts.diff() < 0).all()
    assert ts[-1] == 0
    like = torch.empty(0)
    reached = min(80.0, schedule.at(schedule.t_max, like).k)
    assert schedule.at(ts[0].item(), like).k == pytest.approx(reached, rel=1e-6)
    least = max(0.002, schedule.at(1e-9, like).k)
    assert schedule.at(ts[-2].item(), like).k == pytest.approx(least, rel=1e-6)


def test_karras_grid_is_equation_5():
    k = [VE().at(t, torch.empty(0)).k for t in grids.karras(VE(), 7).tolist()[:-1]]
    want = [(80 ** (1 / 7) + i / 6 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(7)]
    assert k == pytest.approx(want, rel=1e-7)


def test_log_snr_grid_has_equal_steps():
    lam = torch.tensor(
        [VP().at(t, torch.empty(0)).half_log_snr for t in grids.log_snr(VP(), 9).tolist()[:-1]]
    )
    torch.testing.assert_close(lam.diff(), lam.diff()[:1].expand(8))


def test_uniform_and_shifted():
    torch.testing.assert_close(grids.uniform(4, 0.8), torch.tensor([0.8, 0.6, 0.4, 0.2, 0.0]))
    ts = grids.uniform(10)
    torch.testing.assert_close(grids.shifted(ts, 3.0), Shifted(Flow(), 3.0).sigma(ts))
    torch.testing.assert_close(grids.shifted(ts, 1.0), ts)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda: grids.uniform(0), "at least 1 step"),
        (lambda: grids.uniform(5, 1.5), "0 < t_max <= 1"),
        (lambda: grids.karras(VP(), 5, k_min=2.0, k_max=1.0), "0 < k_min < k_max"),
        (lambda: grids.log_snr(VP(), 0), "at least 1 step"),
        (lambda: grids.shifted(grids.uniform(3), -1.0), "above 0"),
    ],
)
def test_grids_that_make_no_sense_are_refused(bad, sentence):
    with pytest.raises(ValueError, match=sentence):
        bad()


@pytest.mark.parametrize("name", LAWS)
def test_training_times_are_inside_and_repeatable(name):
    law = LAWS[name](Cosine()) if name == "log_normal" else LAWS[name]()
    t = law(1009, torch.Generator().manual_seed(3))
    assert ((t > 0) & (t <= 1)).all()
    assert torch.equal(t, law(1009, torch.Generator().manual_seed(3)))


def test_stratified_times_cover_every_stratum(rng):
    t = grids.stratified_law(0.0)(97, rng)
    assert sorted((t * 97).floor().long().tolist()) == list(range(97))


def test_laws_in_log_snr(rng):
    # Logit-normal on the line: lambda ~ N(0, 2^2). EDM: log k ~ N(-1.2, 1.2^2), so lambda ~ N(2.4, 2.4^2).
    # Standard errors from 20,011 draws: 0.014 and 0.017 for the means; four of them.
    n = 20_011
    for law, schedule, mean, std in (
        (grids.logit_normal_law(), Flow(), 0.0, 2.0),
        (grids.log_normal_law(VE()), VE(), 2.4, 2.4),
    ):
        lam = 2 * schedule.half_log_snr(law(n, rng))
        assert lam.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(n))
        assert lam.std() == pytest.approx(std, abs=4 * std / math.sqrt(2 * n))
