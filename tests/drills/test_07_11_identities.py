"""Drills on few-step models and trajectories: each answer is what the package computes."""

import pytest
import torch

from diffusion_lab import policies
from diffusion_lab.constraints import by_cost
from diffusion_lab.data import driving
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.drills import load
from diffusion_lab.metrics.trajectories import distances
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import Flow


def test_path_from_velocities_is_positions(rng):
    v = torch.randn(3, 5, 16, 2, generator=rng)
    mean, std = torch.tensor(driving.SPEED_MEAN), torch.tensor(driving.SPEED_STD)
    got = load("path_from_velocities").answer(v, mean, std, driving.DT)
    torch.testing.assert_close(got, driving.positions(v))


def test_best_of_k_is_distances():
    for forecasts, truth in load("best_of_k").cases():
        best = distances(forecasts, truth)
        assert load("best_of_k").answer(forecasts, truth) == pytest.approx((best.min_ade, best.min_fde))


def test_cost_guided_eps_is_by_cost(rng):
    process, t, scale = Gaussian(Flow()), 0.4, 1.7

    def net(x, t, cond=None):
        return torch.tanh(1.3 * x) + 0.2 * x.flip(1)

    def cost(x0):
        return (x0 - 0.7).square().flatten(1).sum(1)

    x = torch.randn(5, 3, 2, generator=rng)
    c = process.schedule.at(t, x)
    got = load("cost_guided_eps").answer(lambda z: net(z, t), x, c.a, c.sigma, cost, scale)
    torch.testing.assert_close(got, by_cost(Denoiser(net, process, "eps"), cost, scale)(x, t).eps)


def test_receding_states_is_receding():
    for plan, advance, state, execute, rounds in load("receding_states").cases():
        batched = policies.receding(
            lambda s, plan=plan: plan(s).movedim(0, 1), advance, state, execute, rounds
        )
        got = load("receding_states").answer(plan, advance, state, execute, rounds)
        torch.testing.assert_close(torch.stack(got), torch.stack(list(batched)))
