"""Drills on few-step models and trajectories: each answer is what the package computes."""

import pytest
import torch
from torch import nn

from diffusion_lab import policies
from diffusion_lab.constraints import by_cost
from diffusion_lab.couplings import minibatch_ot
from diffusion_lab.data import driving
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.drills import load
from diffusion_lab.losses import denoising
from diffusion_lab.meanflow import FlowMap, residual
from diffusion_lab.metrics.trajectories import distances
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import Flow

from ..laws import MEAN, STD, exact_ode


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


class Net(nn.Module):
    """A function as a network."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, *args):
        return self.fn(*args)


def test_velocity_loss_is_denoising_with_the_velocity_on_the_line():
    for net, x0, eps, t in load("velocity_loss").cases():
        model = Denoiser(Net(lambda x, t, cond, net=net: net(x, t)), Gaussian(Flow()), "velocity")
        got = load("velocity_loss").answer(net, x0, eps, t)
        torch.testing.assert_close(got, denoising(model, x0, t, eps))


def test_ot_partners_is_minibatch_ot():
    for x0, noise in load("ot_partners").cases():
        assert torch.equal(load("ot_partners").answer(x0, noise), minibatch_ot(x0, noise))


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.0), (0.8, 0.3)])
def test_gaussian_flow_map_is_the_exact_ode(t, s, rng):
    x = torch.randn(5, 3, generator=rng)
    torch.testing.assert_close(
        load("gaussian_flow_map").answer(x, t, s, MEAN, STD), exact_ode(Flow(), x, t, s)
    )


# torch's forward mode compiles something by a deprecated route when it is first used.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_mean_flow_target_is_what_the_residual_subtracts():
    for u, x, v, t, s in load("mean_flow_target").cases():
        got = u(x, t, s) - load("mean_flow_target").answer(u, x, v, t, s)
        torch.testing.assert_close(got, residual(FlowMap(Net(u)), x, v, t, s))
