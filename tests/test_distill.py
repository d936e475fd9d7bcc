"""Few-step objectives on laws whose trajectories are known: one point, and one Gaussian."""

import pytest
import torch
from torch import nn

from diffusion_lab import grids, quality, zoo
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.distill import (
    Consistency,
    Halving,
    ddim_step,
    pseudo_huber,
)
from diffusion_lab.meanflow import FlowMap, MeanFlow, residual
from diffusion_lab.models import MLP
from diffusion_lab.models.flowmap import FlowMapMLP
from diffusion_lab.oracles import GaussianMixture, Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import consistency, ddim, euler, final
from diffusion_lab.schedules import Cosine, Flow
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks import task_named
from diffusion_lab.training import Recipe, Trainer

from .laws import MEAN, STD, exact_ode, one_gaussian

PROCESS = Gaussian(Flow())

# torch's forward mode compiles something by a deprecated route when it is first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


class Net(nn.Module):
    """A function as a network."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x, t, cond=None):
        return self.fn(x, t, cond)


def arrival(x, t, cond=None):
    """The exact consistency function of the Gaussian, as a velocity: (x - f(x, t)) / t."""
    std_t = ((1 - t) ** 2 * STD**2 + t**2).sqrt()[:, None]
    f = MEAN + STD / std_t * (x - (1 - t)[:, None] * MEAN)
    return (x - f) / t[:, None]


def average(x, t, s):
    """The exact average velocity of the Gaussian between t and s, finite at s = t."""
    t, s = t[:, None], s[:, None]
    std_t, std_s = (((1 - r) ** 2 * STD**2 + r**2).sqrt() for r in (t, s))
    return -MEAN + (x - (1 - t) * MEAN) / std_t * ((t + s) + STD**2 * (t + s - 2)) / (std_t + std_s)


def data(rng, n=211):
    return one_gaussian().sample(n, rng)[0]


def test_the_exact_consistency_function_jumps_to_the_end_of_the_trajectory(rng):
    x = torch.randn(5, 3, generator=rng)
    model = Denoiser(Net(arrival), PROCESS, "velocity")
    for t in (1.0, 0.4):
        torch.testing.assert_close(model(x, t).x0, exact_ode(Flow(), x, t, 0.0))
    torch.testing.assert_close(final(consistency(model, x, [1.0, 0.0])), MEAN + STD * x)


def test_consistency_distillation_vanishes_at_the_exact_function_as_the_grid_grows(rng):
    x0, teacher = data(rng, 2003), one_gaussian().denoiser(PROCESS)
    model = Denoiser(Net(arrival), PROCESS, "velocity")
    coarse, fine = (Consistency(model, grids.uniform(n), teacher)(x0, None, rng).mean() for n in (50, 100))
    # The teacher errs by h^2 a step, the loss is squared near 0 and divided by h: third order.
    assert coarse / fine == pytest.approx(8, rel=0.4)
    mean = Denoiser(Net(lambda x, t, _: teacher(x, t).velocity), PROCESS, "velocity")
    assert Consistency(mean, grids.uniform(100), teacher)(x0, None, rng).mean() > 100 * fine


@pytest.mark.parametrize("schedule", [Flow(), Cosine()], ids=["flow", "cosine"])
def test_for_a_single_point_training_and_distillation_agree_and_vanish(schedule, rng):
    # One data point: every trajectory ends there, and x_0 with its own noise lies on it.
    process, point = Gaussian(schedule), torch.tensor([[0.7, -1.2]])
    model, teacher = Denoiser(Net(lambda x, t, _: point.expand(len(x), 2)), process, "x0"), Points(point)
    for guide in (None, teacher.denoiser(process)):
        loss = Consistency(model, grids.uniform(13, 0.95), guide)(point.expand(31, 2), None, rng)
        assert loss.abs().max() < 1e-9


def test_intervals_that_shrink_towards_the_data_keep_narrow_modes_wide(rng):
    # Trained to perfection on a grid, one call of the student is the teacher's DDIM along that grid.
    narrow = GaussianMixture.isotropic(torch.tensor([[1.0, -0.5]]), 0.1).denoiser(PROCESS)
    x, ts = torch.randn(211, 2, generator=rng), grids.uniform(10)
    even, finer = (final(ddim(narrow, x, grid)).std(0) / (0.1 * x.std(0)) for grid in (ts, ts**2))
    assert (even < 0.7).all()
    assert (finer > 0.8).all()
    assert (finer < 1).all()


def test_the_target_of_consistency_has_no_gradient(rng):
    weight = nn.Parameter(torch.tensor(1.0))
    net = Net(lambda x, t, _: weight * x)
    net.weight = weight
    model = Denoiser(net, PROCESS, "x0")
    objective = Consistency(model, [1.0, 0.0])
    x0 = data(rng, 7)
    # One interval: s = 0, where f is x_0 itself; d/dw comes from f(x_t, t) = w x_t alone.
    loss = objective(x0, None, torch.Generator().manual_seed(0)).sum()
    (grad,) = torch.autograd.grad(loss, weight)
    replay = torch.Generator().manual_seed(0)
    torch.randint(1, (7,), generator=replay)
    x = PROCESS.noise(x0, replay)
    (by_hand,) = torch.autograd.grad(pseudo_huber(weight * x, x0).sum(), weight)
    torch.testing.assert_close(grad, by_hand)


def test_pseudo_huber_is_quadratic_near_and_linear_far():
    zero, c = torch.zeros(1, 3), 0.03
    near, far = torch.full((1, 3), 1e-4), torch.full((1, 3), 1e3)
    assert pseudo_huber(near, zero, c).item() == pytest.approx(1e-8 / (2 * c), rel=1e-3)
    assert pseudo_huber(far, zero, c).item() == pytest.approx(1e3, rel=1e-3)


@pytest.mark.parametrize("schedule", [Flow(), Cosine()], ids=["flow", "cosine"])
def test_a_student_that_makes_the_teachers_two_steps_has_no_loss(schedule, rng):
    process, ts = Gaussian(schedule), grids.uniform(4, 0.9)
    teacher = one_gaussian().denoiser(process)

    def two_steps(x, t, _):
        s = t - 0.9 / 4
        s = torch.where(s < 1e-9, 0.0, s)
        end = ddim_step(teacher, ddim_step(teacher, x, t, (t + s) / 2), (t + s) / 2, s)
        c, cs = schedule.at(t, x), schedule.at(s, x)
        ratio = cs.sigma / c.sigma
        return (end - ratio * x) / (cs.a - ratio * c.a)

    student = Denoiser(Net(two_steps), process, "x0")
    assert Halving(student, teacher, ts)(data(rng), None, rng).max() < 1e-18
    x = torch.randn(5, 3, generator=rng)
    halved = final(ddim(student, x, ts))
    torch.testing.assert_close(halved, final(ddim(teacher, x, grids.uniform(8, 0.9))))
    alike = Denoiser(Net(lambda x, t, _: teacher(x, t).x0), process, "x0")
    assert Halving(alike, teacher, ts)(data(rng), None, rng).mean() > 1e-6


def test_the_exact_average_velocity_satisfies_the_meanflow_identity(rng):
    flow_map, teacher = FlowMap(Net(average)), one_gaussian().denoiser(PROCESS)
    x, t = 2 * torch.randn(31, 3, generator=rng), 0.05 + 0.9 * torch.rand(31, generator=rng)
    s = t * torch.rand(31, generator=rng)
    v = teacher(x, t).velocity
    torch.testing.assert_close(residual(flow_map, x, v, t, s), torch.zeros(31, 3), atol=1e-9, rtol=0)
    # At s = t it is flow matching; and a wrong u is noticed.
    torch.testing.assert_close(flow_map(x, t, t), v)
    wrong = FlowMap(Net(lambda x, t, s: average(x, t, s) + (t - s)[:, None]))
    assert residual(wrong, x, v, t, s).abs().max() > 0.1


@pytest.mark.parametrize("ts", [[1.0, 0.0], [1.0, 0.7, 0.1, 0.0]])
def test_euler_along_average_velocities_is_exact_on_any_grid(ts, rng):
    x = torch.randn(5, 3, generator=rng)
    end = final(euler(FlowMap(Net(average)).on(ts), x, ts))
    torch.testing.assert_close(end, exact_ode(Flow(), x, 1.0, 0.0))
    with pytest.raises(ValueError, match=r"t = 0.3 is not on the grid"):
        FlowMap(Net(average)).on(ts)(x, 0.3)


def test_without_a_gap_meanflow_is_flow_matching(rng):
    flow_map, x0 = FlowMap(Net(average)), data(rng)
    loss = MeanFlow(flow_map, grids.uniform_law(), share=0.0, power=0.0)(x0, None, rng).mean()
    # The loss floor of the exact velocity: the mean over t of Var(eps - x_0 | x_t).
    t = torch.linspace(0.0005, 0.9995, 1000)
    floor = (STD**2 / ((1 - t) ** 2 * STD**2 + t**2)).mean()
    assert loss == pytest.approx(floor.item(), rel=0.2)


def test_the_power_of_meanflow_divides_the_square_by_itself(rng):
    flow_map, x0 = FlowMap(Net(average)), data(rng)

    def loss(**how):
        return MeanFlow(flow_map, grids.uniform_law(), **how)(x0, None, torch.Generator().manual_seed(3))

    square = loss(power=0.0)
    torch.testing.assert_close(loss(power=1.0, c=0.07), square / (square + 0.07))
    torch.testing.assert_close(loss(power=0.5, c=0.07), square / (square + 0.07) ** 0.5)


def test_the_gradient_of_meanflow_does_not_pass_through_its_weight_nor_its_target(rng):
    slope = nn.Parameter(torch.tensor(0.3))
    net = Net(lambda x, t, s: slope * x)
    net.slope = slope
    model, x0 = FlowMap(net), data(rng, 7)
    value = MeanFlow(model, grids.uniform_law(), share=1.0, power=1.0, c=0.1)
    (grad,) = torch.autograd.grad(value(x0, None, torch.Generator().manual_seed(0)).sum(), slope)
    replay, law = torch.Generator().manual_seed(0), grids.uniform_law()
    t, s = law(7, replay), law(7, replay)
    t, s = torch.maximum(t, s), torch.minimum(t, s)
    torch.rand(7, generator=replay)
    noise = PROCESS.noise(x0, replay)
    x, v = PROCESS.diffuse(x0, t, noise), noise - x0
    # u = slope x, so du/dt = slope v: the error by hand, its weight and its target held.
    target = v - (t - s)[:, None] * 0.3 * v
    error = 0.3 * x - target
    weight = 1 / (error.square().mean(1) + 0.1)
    torch.testing.assert_close(grad, (weight * (2 * error * x).mean(1)).sum())


def gap(flow_map, n):
    """Of n jumps from noise to gauss8; other noise than the card's."""
    noise, ts = torch.randn(quality.POINTS, 2, generator=rng_at("samples", 1, 0)), grids.uniform(n)
    with torch.no_grad():
        return quality.point_scores(final(euler(flow_map.on(ts), noise, ts)), "gauss8")["sliced_wasserstein"]


@pytest.mark.float32
def test_the_shipped_flow_map_reaches_the_law_in_one_call():
    # The distance of 2,000 points from fresh ones moves by about a floor.
    measured, model = zoo.card("gauss8-meanflow").measured, zoo.denoiser("gauss8-meanflow")
    for n in (1, 2, 4):
        assert gap(model, n) < measured[f"sliced_wasserstein_{n}"] + measured["floor"]
        assert gap(model, n) < 3 * measured["floor"]


@pytest.mark.float32
def test_the_shipped_recipe_comes_nearer_within_its_first_steps():
    trainer = task_named("gauss8-meanflow", steps=100, warmup=10, ema=0.9).trainer()
    before = gap(trainer.averaged, 4)
    for _ in trainer.fit():
        pass
    assert gap(trainer.averaged, 4) < 0.8 * before


@pytest.mark.float32
def test_the_trainer_takes_each_of_them(rng):
    def batches(step):
        return torch.randn(16, 2, generator=rng_at("x", 0, step)), None

    def model():
        return Denoiser(MLP((2,), width=16, depth=1), PROCESS, "velocity")

    ts = grids.uniform(8)
    for objective in (
        Consistency(model(), ts),
        Consistency(model(), ts, teacher=model()),
        Halving(model(), model(), ts),
        MeanFlow(FlowMap(FlowMapMLP(width=16, depth=1)), grids.uniform_law()),
    ):
        records = list(Trainer(objective, batches, Recipe(3, warmup=1)).fit(check_every=1))
        assert len(records) == 3
        assert all(record.loss.isfinite() for record in records)
