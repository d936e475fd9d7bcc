"""Toy laws: the standardising constants against quadrature, the draws against what the laws promise."""

import math

import pytest
import torch

from diffusion_lab.data import toys
from diffusion_lab.data.toys import TOYS

N = 20011
SIGMAS = 5.0  # how many standard errors a statistic may be off


def raw(toy: toys.Toy, n: int, rng: torch.Generator) -> torch.Tensor:
    """Draws in the law's natural units."""
    return toy(n, rng) * torch.tensor(toy.var).sqrt() + torch.tensor(toy.mean)


@pytest.mark.parametrize("name", TOYS)
def test_draws_have_mean_0_and_variance_1(name, rng):
    x = TOYS[name](N, rng)
    assert x.shape == (N, 2)
    assert (x.mean(0).abs() <= SIGMAS / N**0.5).all()
    error_of_variance = ((x**4).mean(0) - 1).sqrt() / N**0.5
    assert ((x.var(0) - 1).abs() <= SIGMAS * error_of_variance).all()


@pytest.mark.parametrize("name", TOYS)
def test_a_generator_decides_every_draw_and_the_global_one_none(name):
    state = torch.get_rng_state()
    first, again, other = (TOYS[name](13, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", TOYS)
@pytest.mark.float32
def test_draws_come_in_the_default_precision(name, rng):
    assert TOYS[name](5, rng).dtype == torch.float32


def curve_moments(*curves: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance over curves (n, 2), drawn equally often, by the midpoint rule in their parameter."""
    points = torch.cat(curves)
    return points.mean(0), points.var(0, correction=0)


def midpoints(low: float, high: float, n: int = 100_003) -> torch.Tensor:
    return low + (high - low) * (torch.arange(n) + 0.5) / n


def arc(angle: torch.Tensor) -> torch.Tensor:
    return torch.stack([angle.cos(), angle.sin()], 1)


def test_the_constants_of_the_moons_are_those_of_two_half_circles():
    upper = arc(midpoints(0, math.pi))
    mean, var = curve_moments(upper, torch.tensor([1, 0.5]) - upper)
    torch.testing.assert_close(torch.tensor(toys.moons.mean), mean, atol=1e-8, rtol=0)
    torch.testing.assert_close(torch.tensor(toys.moons.var), var + toys.MOONS_STD**2, atol=1e-8, rtol=0)


def test_the_constants_of_the_swiss_roll_are_those_of_its_spiral():
    phi = midpoints(1.5 * math.pi, 4.5 * math.pi)
    mean, var = curve_moments(phi[:, None] * arc(phi))
    torch.testing.assert_close(torch.tensor(toys.swiss_roll.mean), mean, atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.tensor(toys.swiss_roll.var), var + toys.ROLL_STD**2, atol=1e-6, rtol=0)


def test_the_constants_of_the_rings_are_those_of_three_circles():
    circle = arc(midpoints(0, 2 * math.pi))
    mean, var = curve_moments(circle, *[2 * circle] * 2, *[3 * circle] * 3)
    torch.testing.assert_close(torch.tensor(toys.rings.mean), mean, atol=1e-8, rtol=0)
    torch.testing.assert_close(torch.tensor(toys.rings.var), var + toys.RINGS_STD**2, atol=1e-8, rtol=0)


def test_moons_lie_one_noise_width_around_their_half_circles(rng):
    x = raw(toys.moons, N, rng)
    to_upper = torch.where(x[:, 1] > 0, (x.norm(dim=1) - 1).abs(), torch.inf)
    to_lower = torch.where(x[:, 1] < 0.5, ((x - torch.tensor([1, 0.5])).norm(dim=1) - 1).abs(), torch.inf)
    tips = torch.tensor([[1.0, 0], [-1, 0], [0, 0.5], [2, 0.5]])
    to_tip = (x[:, None] - tips).norm(dim=2).amin(1)
    assert (torch.stack([to_upper, to_lower, to_tip]).amin(0) < 6 * toys.MOONS_STD).all()


def test_swiss_roll_radius_grows_with_the_angle(rng):
    x = raw(toys.swiss_roll, N, rng)
    radius, angle = x.norm(dim=1), torch.atan2(x[:, 1], x[:, 0])
    turns = ((radius - angle) / (2 * math.pi)).round()
    phi = angle + 2 * math.pi * turns
    off_the_arm = radius - phi
    assert off_the_arm.std() == pytest.approx(toys.ROLL_STD, rel=0.03)
    counts = torch.histc(
        (phi / math.pi - 1.5) / 3, 7, 0.05, 0.95
    )  # phi is uniform, but for noise at its ends
    assert ((counts - 0.9 * N / 7).abs() < SIGMAS * (0.9 * N / 7) ** 0.5).all()


def test_checkerboard_has_density_one_eighth_on_its_eight_cells_and_none_beside_them(rng):
    x = raw(toys.checkerboard, N, rng)
    cell = x.floor().long() + 2
    assert (cell.sum(1) % 2 == 0).all()
    # Each cell in quarters: 32 equally likely squares, so the density is even inside the cells too.
    square = torch.cat([cell, ((x - x.floor()) * 2).long()], 1) @ torch.tensor([16, 4, 2, 1])
    counts = square.bincount()
    counts = counts[counts > 0]
    assert len(counts) == 32
    assert ((counts - N / 32).abs() < SIGMAS * (N / 32 * 31 / 32) ** 0.5).all()


def test_rings_are_drawn_as_often_as_they_are_long(rng):
    radius = raw(toys.rings, N, rng).norm(dim=1)
    ring = radius.round()
    assert ((radius - ring).abs() < 6 * toys.RINGS_STD).all()
    for k in (1, 2, 3):
        share, p = (ring == k).double().mean().item(), k / 6
        assert share == pytest.approx(p, abs=SIGMAS * (p * (1 - p) / N) ** 0.5)


def test_gauss8_agrees_with_its_oracle(rng):
    law, x = toys.gauss8_oracle(), TOYS["gauss8"](N, rng)
    torch.testing.assert_close(law.weights @ law.means, torch.zeros(2), atol=1e-12, rtol=0)
    total = (law.weights[:, None] * law.means**2).sum(0) + law.covs[0].diagonal()
    torch.testing.assert_close(total, torch.ones(2))  # the oracle is standardised too
    mode = torch.cdist(x, law.means).argmin(1)
    for k in range(8):
        own = x[mode == k]
        assert len(own) / N == pytest.approx(1 / 8, abs=SIGMAS * (1 / 8 * 7 / 8 / N) ** 0.5)
        std = law.covs[k, 0, 0].sqrt()
        assert ((own.mean(0) - law.means[k]).abs() < SIGMAS * std / len(own) ** 0.5).all()
        assert ((own.std(0) / std - 1).abs() < SIGMAS / (2 * len(own)) ** 0.5).all()
