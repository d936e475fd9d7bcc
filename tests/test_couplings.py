"""Couplings and reflow: parity with POT, and Gaussians, whose optimal maps are known."""

import ot
import pytest
import torch
from torch import nn

from diffusion_lab import couplings, grids
from diffusion_lab.couplings import FlowMatching, Pairs, Reflow, minibatch_ot, pair_batches, reflow_pairs
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import euler, final
from diffusion_lab.schedules import Flow
from diffusion_lab.training import Objective

from .laws import MEAN, STD, one_gaussian


def test_minibatch_ot_is_the_cheapest_pairing_that_pot_finds(rng):
    x0, noise = torch.randn(41, 3, 2, generator=rng) + 1, torch.randn(41, 3, 2, generator=rng)
    partner = minibatch_ot(x0, noise)
    cost = torch.cdist(x0.flatten(1), noise.flatten(1)).square().numpy()
    assert couplings.transport_cost(x0, partner) == pytest.approx(ot.emd2([], [], cost), rel=1e-9)
    assert couplings.transport_cost(x0, partner) < couplings.transport_cost(x0, noise)
    # Every noise is used once: the marginal stays what it was.
    torch.testing.assert_close(partner.flatten(1).sort(0).values, noise.flatten(1).sort(0).values)


def test_on_a_line_the_optimal_pairing_is_the_sorted_one(rng):
    x0, noise = torch.randn(53, 1, generator=rng), torch.randn(53, 1, generator=rng)
    order = x0.flatten().argsort()
    torch.testing.assert_close(minibatch_ot(x0, noise)[order], noise.sort(0).values)


def test_between_gaussians_it_comes_near_the_affine_map(rng):
    # The optimal map is x_0 = m + S z, at a cost of |m|^2 + d (1 - S)^2; a finite batch pays a little more.
    noise = torch.randn(997, 1, generator=rng)
    x0 = 1.5 + STD * torch.randn(997, 1, generator=rng)
    cost = couplings.transport_cost(x0, minibatch_ot(x0, noise))
    assert cost == pytest.approx(1.5**2 + (1 - STD) ** 2, rel=0.15)
    assert couplings.transport_cost(x0, noise) == pytest.approx(1.5**2 + 1 + STD**2, rel=0.15)


class Straight(nn.Module):
    """The velocity of the affine coupling x_0 = MEAN + STD z: z(1 - STD) - MEAN with z read from x_t."""

    def forward(self, x, t, cond=None):
        t = t[:, None]
        z = (x - (1 - t) * MEAN) / ((1 - t) * STD + t)
        return z * (1 - STD) - MEAN


def test_the_reflow_pairs_of_a_gaussian_lie_on_the_affine_map(rng):
    noise, errors = torch.randn(101, 3, generator=rng), []
    for n in (100, 200):
        pairs = reflow_pairs(one_gaussian().denoiser(Gaussian(Flow())), noise, grids.uniform(n), batch=37)
        assert torch.equal(pairs.noise, noise)
        errors.append((pairs.x0 - (MEAN + STD * noise)).abs().max())
    assert errors[1] < 0.02
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)  # Euler's error, which halves


def test_one_euler_step_is_exact_after_reflow_and_gives_the_mean_before(rng):
    process, noise = Gaussian(Flow()), torch.randn(5, 3, generator=rng)
    once = final(euler(Denoiser(Straight(), process, "velocity"), noise, grids.uniform(1)))
    torch.testing.assert_close(once, MEAN + STD * noise)
    before = final(euler(one_gaussian().denoiser(process), noise, grids.uniform(1)))
    torch.testing.assert_close(before, MEAN.expand(5, 3))


def test_on_reflow_pairs_the_straight_flow_has_no_loss_and_on_independent_ones_it_has(rng):
    model = Denoiser(Straight(), Gaussian(Flow()), "velocity")
    noise = torch.randn(101, 3, generator=rng)
    x0 = MEAN + STD * noise
    assert Reflow(model, grids.uniform_law())(x0, noise, rng).max() < 1e-20
    assert FlowMatching(model, grids.uniform_law())(x0, None, rng).mean() > 0.3


def test_independent_flow_matching_is_the_plain_objective(rng):
    model, x0 = Denoiser(Straight(), Gaussian(Flow()), "velocity"), torch.randn(7, 3, generator=rng)
    losses = [
        make(model, grids.uniform_law())(x0, None, torch.Generator().manual_seed(5))
        for make in (FlowMatching, Objective)
    ]
    assert torch.equal(losses[0], losses[1])


def test_batches_of_pairs_keep_pairs_together_and_repeat():
    pairs = Pairs(torch.arange(17.0)[:, None], -torch.arange(17.0)[:, None])
    draw = pair_batches(pairs, 11)
    x0, noise = draw(3)
    assert torch.equal(x0, -noise)
    assert torch.equal(draw(3)[0], x0)
    assert not torch.equal(draw(4)[0], x0)
