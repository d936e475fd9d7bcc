"""Trajectory metrics by hand, and what each is blind to."""

import pytest
import torch

from diffusion_lab.metrics.trajectories import checked, distances, mode_coverage, mode_shares


def straight(*offsets):
    """Paths of 3 positions along x, moved sideways by `offsets`: (1, k, 3, 2)."""
    path = torch.stack([torch.arange(3.0), torch.zeros(3)], -1)
    return torch.stack([path + torch.tensor([0.0, y]) for y in offsets])[None]


def test_the_best_of_three_by_hand():
    truth = straight(0.0)[:, 0]
    assert distances(straight(5.0, -1.5, 3.0), truth) == (1.5, 1.5, 0.0, 9.5 / 3)
    assert distances(straight(5.0, 3.0), truth) == (3.0, 3.0, 1.0, 4.0)


def test_ade_and_fde_may_come_from_different_forecasts():
    truth = straight(0.0)[:, 0]
    near, late = straight(1.0)[:, 0].clone(), straight(4.0)[:, 0].clone()
    near[0, -1, 1], late[0, -1, 1] = 2.5, 0.5
    got = distances(torch.stack([near, late], 1), truth)
    assert got.min_ade == pytest.approx((1 + 1 + 2.5) / 3)
    assert got.min_fde == 0.5


def test_more_forecasts_are_never_worse(rng):
    x, truth = torch.randn(11, 7, 5, 2, generator=rng), torch.randn(11, 5, 2, generator=rng)
    few, many = distances(x[:, :3], truth), distances(x, truth)
    assert many.min_ade < few.min_ade
    assert many.min_fde < few.min_fde


def test_a_mode_that_nobody_took_is_seen_by_coverage_and_not_by_min_ade():
    modes = torch.cat([straight(0.0), straight(10.0)], 1)
    one_mode, both = straight(0.0, 0.5), straight(0.0, 9.5)
    truth = modes[:, 0]
    assert distances(one_mode, truth).min_ade == distances(both, truth).min_ade == 0
    assert mode_coverage(one_mode, modes) == 0.5
    assert mode_coverage(both, modes) == 1.0
    assert mode_coverage(both, modes, radius=0.4) == 0.5
    assert mode_shares(one_mode, modes).tolist() == [1.0, 0.0]
    assert mode_shares(both, modes).tolist() == [0.5, 0.5]


def test_forecasts_that_cannot_be_compared_are_refused():
    x, truth = straight(0.0, 1.0), straight(0.0)[:, 0]
    with pytest.raises(ValueError, match="not finite"):
        distances(x * float("nan"), truth)
    with pytest.raises(ValueError, match="nothing to compare"):
        mode_coverage(x[:, :0], x)
    with pytest.raises(ValueError, match="must agree"):
        checked(x, x[:, :, :2])
