"""Both sides of every numbered equation of book/modalities.md, and the claims of its tables."""

import itertools
import math

import pytest
import torch

from diffusion_lab import planning, zoo
from diffusion_lab.constraints import by_cost, pinned
from diffusion_lab.data import driving
from diffusion_lab.oracles import GaussianMixture, Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine, Flow
from diffusion_lab.tasks.trajectories import TASKS


def test_eq_modalities_mean(rng):
    # The loss rises by exactly the squared distance from the mean, and the mean is no future.
    futures = torch.cat([torch.randn(101, 4, generator=rng) * 0.1 + m for m in (-2.0, 2.0)])
    away = torch.randn(4, generator=rng)
    at_mean = (futures - futures.mean(0)).square().sum(1).mean()
    beside = (futures - futures.mean(0) - away).square().sum(1).mean()
    torch.testing.assert_close(beside - at_mean, away.square().sum())
    assert (futures - futures.mean(0)).norm(dim=1).min() > 3


@pytest.mark.parametrize("schedule", [Flow(), Cosine(), VP()], ids=lambda s: type(s).__name__)
def test_eq_modalities_lean(schedule, rng):
    m, t = 1.7, 0.6
    x = torch.randn(13, 1, generator=rng)
    c = schedule.at(t, x)
    denoise = Points(torch.tensor([[-m], [m]])).denoiser(Gaussian(schedule))
    torch.testing.assert_close(denoise(x, t).x0, m * torch.tanh(c.a * m * x / c.sigma**2))


@pytest.mark.float32
def test_one_step_drives_where_the_regression_drives_and_twenty_find_the_modes():
    flow, mean = (TASKS[name].untrained() for name in ("driving", "driving-regression"))
    zoo.fill(flow, "driving")
    zoo.fill(mean, "driving-regression")
    scene, truth = planning.unseen_scenes(60)
    one, twenty = (planning.scores(planning.forecasts(flow, scene, steps=n), truth, scene) for n in (1, 20))
    regression = planning.scores(planning.mean_forecast(mean, scene), truth, scene)
    assert min(one["off_road"], regression["off_road"]) > 0.95
    assert twenty["off_road"] < 0.02
    assert twenty["mode_coverage"] > 0.9 > 0.1 > one["mode_coverage"]


def test_the_mean_over_samples_prefers_the_regression():
    flow, mean = (zoo.card(name).measured for name in ("driving", "driving-regression"))
    assert mean["mean_ade"] < flow["mean_ade"]
    assert mean["min_ade"] > 10 * flow["min_ade"]


@pytest.mark.parametrize("schedule", [Flow(), VP()], ids=lambda s: type(s).__name__)
def test_eq_modalities_cost(schedule, rng):
    # Gaussian data with a full covariance: the posterior covariance is known, and the cost may be any.
    root = torch.randn(3, 3, generator=rng)
    mean, label = torch.randn(1, 3, generator=rng), torch.zeros(1, dtype=torch.long)
    law = GaussianMixture(mean, (root @ root.T)[None], torch.ones(1), label)
    process, t, kappa = Gaussian(schedule), 0.5, 0.3
    x = torch.randn(7, 3, generator=rng)
    c = schedule.at(t, x)
    posterior = torch.linalg.inv(torch.linalg.inv(root @ root.T) + (c.a / c.sigma) ** 2 * torch.eye(3))

    def cost(x0):
        return x0.sin().sum(1) + x0.square().sum(1)

    before = law.denoiser(process)(x, t).x0
    slope = before.cos() + 2 * before
    got = by_cost(law.denoiser(process), cost, kappa)(x, t).x0
    torch.testing.assert_close(got, before - kappa * slope @ posterior)


@pytest.mark.float32
def test_a_cost_on_the_first_second_fixes_the_manoeuvre_and_pinning_it_does_not():
    flow = TASKS["driving"].untrained()
    zoo.fill(flow, "driving")
    scene, truth = planning.unseen_scenes(23)
    start = driving.velocities(truth).repeat_interleave(16, 0)
    known = torch.arange(driving.STEPS)[:, None].expand(-1, 2) * driving.DT < 1
    rules = {
        "free": lambda d: d,
        "pinned": lambda d: pinned(d, start, known),
        "cost": lambda d: by_cost(d, lambda x0: ((x0 - start) * known).square().sum((1, 2)) / 2, 16.0),
    }
    middles = driving.prototypes(scene)[:, None]

    def manoeuvre(paths):
        return (paths[..., None, :, :] - middles).norm(dim=-1).mean(-1).argmin(-1)

    same = {}
    for name, rule in rules.items():
        x = planning.forecasts(flow, scene, rule=rule, start=0.98, steps=30)
        same[name] = (manoeuvre(x) == manoeuvre(truth[:, None])).double().mean().item()
    assert max(same["free"], same["pinned"]) < 0.5 < 0.9 < same["cost"]


def test_the_belief_begins_to_outrun_its_input_a_little_before_signal_and_noise_are_equal():
    # Exercise lean, m = 1 on the straight line: the slope of the belief at 0, by automatic differentiation.
    denoise = Points(torch.tensor([[-1.0], [1.0]])).denoiser(Gaussian(Flow()))
    golden = (math.sqrt(5) - 1) / 2

    def slope(t):
        x = torch.zeros(1, 1, requires_grad=True)
        return torch.autograd.grad(denoise(x, t).x0.sum(), x)[0].item()

    assert slope(golden) == pytest.approx(1.0)
    assert slope(golden + 0.01) < 1 < slope(golden - 0.01)
    assert round(golden, 2) == 0.62


def test_eq_modalities_best_of_k(rng):
    p, k, n = 0.2, 14, 40_009
    found = (torch.rand(n, k, generator=rng) < p).any(1).double().mean().item()
    exact = 1 - (1 - p) ** k
    assert found == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / n))
    assert 1 - (1 - p) ** 13 < 0.95 < exact  # the exercise: fourteen


def test_two_cars_that_never_both_go_crash_in_a_quarter_of_separate_samples():
    joint = torch.tensor([[0.0, 0.5], [0.5, 0.0]])  # (first car goes, second car goes)
    product = joint.sum(1)[:, None] * joint.sum(0)
    assert product.diagonal().tolist() == [0.25, 0.25]


def test_eq_modalities_static(rng):
    n, c = 5, Cosine().at(0.6, torch.empty(0))
    clip = c.a * 0.7 + c.sigma * torch.randn(100_003, n, generator=rng)
    expected = float(c.sigma) ** 2 / n
    assert clip.mean(1).var().item() == pytest.approx(expected, abs=4 * expected * math.sqrt(2 / 100_003))


def test_eq_modalities_attention():
    n, m = 3, 5
    tokens = list(itertools.product(range(n), range(m)))
    pairs = list(itertools.product(tokens, repeat=2))
    within = sum(a[0] == b[0] for a, b in pairs)
    along = sum(a[1] == b[1] for a, b in pairs)
    assert len(pairs) / (within + along) == n * m / (n + m)


def test_eq_modalities_sds():
    # One dimension, so that Gauss-Hermite does the mean over eps; the right side by central differences.
    law = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.2]]), 0.5, torch.tensor([0.4, 0.6]))
    process, t, h = Gaussian(VP()), 0.4, 1e-4
    eps = torch.linspace(-9, 9, 4001)[:, None]
    weight = torch.exp(-eps[:, 0].square() / 2)
    weight = weight / weight.sum()

    def smoothed(x):
        return weight @ law.log_prob(process, process.diffuse(torch.full_like(eps, x), t, eps), t)

    c = process.schedule.at(t, eps)
    for x in (-0.9, 0.1, 0.8):
        x_t = process.diffuse(torch.full_like(eps, x), t, eps)
        left = weight @ (law.denoiser(process)(x_t, t).eps - eps)[:, 0]
        right = -(c.sigma / c.a) * (smoothed(x + h) - smoothed(x - h)) / (2 * h)
        torch.testing.assert_close(left, torch.as_tensor(right), rtol=1e-5, atol=1e-7)


def test_the_time_budget_of_the_page():
    passes = {n: (1000 * 8 / 10 - 40) / n for n in (8, 100)}
    assert passes == {8: pytest.approx(95), 100: pytest.approx(7.6)}
