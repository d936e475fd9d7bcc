"""Both sides of every numbered equation of book/few-steps.md."""

import math

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.denoisers import Rule
from diffusion_lab.distill import ddim_step
from diffusion_lab.meanflow import FlowMap, residual
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import consistency, ddim, dpmpp_2m, euler, final, heun, unipc
from diffusion_lab.schedules import VP, Cosine, Flow
from diffusion_lab.targets import TARGETS, Prediction

from ..laws import MEAN, STD, exact_ode, mixture, one_gaussian

each_schedule = pytest.mark.parametrize("schedule", [VP(), Cosine(), Flow()], ids=lambda s: type(s).__name__)
R, T, S = 0.9, 0.71, 0.33

# torch's forward mode compiles something by a deprecated route when it is first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


def test_eq_few_mean(rng):
    law = mixture(rng)
    belief = law.denoiser(Gaussian(Flow()))(torch.randn(7, 3, generator=rng), 1.0).x0
    torch.testing.assert_close(belief, (law.weights @ law.means).expand(7, 3))


@pytest.mark.parametrize("sampler", [ddim, dpmpp_2m, unipc, euler])
def test_one_step_on_the_straight_line_returns_the_mean_of_the_data(sampler, rng):
    law = mixture(rng)
    one = final(sampler(law.denoiser(Gaussian(Flow())), torch.randn(7, 3, generator=rng), [1.0, 0.0]))
    torch.testing.assert_close(one, (law.weights @ law.means).expand(7, 3))


def test_one_euler_step_on_a_curved_path_does_not(rng):
    law = mixture(rng)
    path = Cosine(offset=0.0)
    one = final(euler(law.denoiser(Gaussian(path)), torch.randn(7, 3, generator=rng), [1.0, 0.0]))
    assert (one - law.weights @ law.means).abs().max() > 0.5


def end(schedule, x, t):
    """f(x_t, t) of N(MEAN, STD^2): the closed form of the exercise, for every path."""
    c = schedule.at(t, x)
    return MEAN + STD * (x - c.a * MEAN) / (c.a**2 * STD**2 + c.sigma**2) ** 0.5


@each_schedule
def test_eq_few_constant(schedule, rng):
    # One trajectory, walked by a solver: f says the same at every point of it, and at its clean end f is x.
    denoise, x = one_gaussian().denoiser(Gaussian(schedule)), torch.randn(5, 3, generator=rng)
    ts = grids.log_snr(schedule, 300, k_min=0.01)
    steps = list(heun(denoise, x, ts))
    ends = [end(schedule, step.x, step.t) for step in steps]
    for f in ends[1:]:
        torch.testing.assert_close(f, ends[0], rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(ends[-1], steps[-1].x)


def test_eq_few_boundary(rng):
    x, y = torch.randn(2, 5, 3, generator=rng)
    for t in (0.0, 0.4, 1.0):
        f = Prediction(Flow().at(t, x), x, y, TARGETS["velocity"]).x0
        torch.testing.assert_close(f, x - t * y)
    torch.testing.assert_close(Prediction(Flow().at(0.0, x), x, y, TARGETS["velocity"]).x0, x)


@each_schedule
def test_eq_few_training(schedule):
    # The left side by Bayes' rule on a grid of x_0 for data of two modes, the right side a DDIM step.
    means = torch.tensor([[-1.0], [1.5]])
    law, x = GaussianMixture.isotropic(means, 0.4, torch.tensor([0.3, 0.7])), 0.2
    c, cs = (schedule.at(u, torch.empty(0)) for u in (T, S))
    x0 = torch.linspace(-6, 6, 20_001)
    prior = 0.3 * torch.exp(-((x0 + 1) ** 2) / 0.32) + 0.7 * torch.exp(-((x0 - 1.5) ** 2) / 0.32)
    posterior = prior * torch.exp(-((x - c.a * x0) ** 2) / (2 * c.sigma**2))
    posterior = posterior / torch.trapezoid(posterior, x0)
    earlier = cs.a * x0 + cs.sigma * (x - c.a * x0) / c.sigma
    step = final(ddim(law.denoiser(Gaussian(schedule)), torch.tensor([[x]]), [T, S]))
    assert torch.trapezoid(posterior * earlier, x0).item() == pytest.approx(step.item(), rel=1e-6)


@each_schedule
def test_eq_few_multistep(schedule, rng):
    # The sampler with an exact f, from x_t ~ p_t: mean and spread of p_s within four standard errors.
    def exact(x, t, cond):
        return Prediction(schedule.at(t, x), x, end(schedule, x, t), TARGETS["x0"])

    process, n = Gaussian(schedule), 40_009
    x0 = MEAN + STD * torch.randn(n, 3, generator=rng)
    x = process.diffuse(x0, T, torch.randn(n, 3, generator=rng))
    x_s = final(consistency(Rule(process, exact), x, [T, S], rng))
    c = schedule.at(S, x)
    spread = math.sqrt(c.a**2 * STD**2 + c.sigma**2)
    torch.testing.assert_close(x_s.mean(0), c.a * MEAN[0], rtol=0, atol=4 * spread / math.sqrt(n))
    assert (x_s.std(0) - spread).abs().max() < 4 * spread / math.sqrt(2 * n)


@each_schedule
def test_eq_few_halving(schedule, rng):
    teacher, x = mixture(rng).denoiser(Gaussian(schedule)), torch.randn(5, 3, generator=rng)
    t, m, s = (torch.full((5,), u) for u in (R, T, S))
    x_s = ddim_step(teacher, ddim_step(teacher, x, t, m), m, s)
    c, cs = schedule.at(R, x), schedule.at(S, x)
    ratio = cs.sigma / c.sigma
    goal = (x_s - ratio * x) / (cs.a - ratio * c.a)
    student = Rule(teacher.process, lambda x, t, _: Prediction(schedule.at(t, x), x, goal, TARGETS["x0"]))
    torch.testing.assert_close(final(ddim(student, x, [R, S])), x_s)


def test_eq_few_average(rng):
    # Left: the mean of v along the exact trajectory of one Gaussian, by quadrature. Right: its end points.
    x, denoise = torch.randn(5, 3, generator=rng), one_gaussian().denoiser(Gaussian(Flow()))
    taus = torch.linspace(S, T, 201)
    v = torch.stack([denoise(exact_ode(Flow(), x, T, u), u).velocity for u in taus.tolist()])
    left = torch.trapezoid(v, taus, dim=0) / (T - S)
    torch.testing.assert_close(left, (x - exact_ode(Flow(), x, T, S)) / (T - S), rtol=1e-4, atol=1e-5)


class Average(torch.nn.Module):
    """(x_t - x_s) / (t - s) of N(MEAN, STD^2) on the straight line."""

    def forward(self, x, t, s):
        t, s = t[:, None], s[:, None]
        std_t, std_s = (((1 - u) ** 2 * STD**2 + u**2).sqrt() for u in (t, s))
        x_s = (1 - s) * MEAN + std_s / std_t * (x - (1 - t) * MEAN)
        return (x - x_s) / (t - s)


def test_eq_few_meanflow(rng):
    x, t, s = torch.randn(5, 3, generator=rng), torch.full((5,), T), torch.full((5,), S)
    v = one_gaussian().denoiser(Gaussian(Flow()))(x, t).velocity
    gap = residual(FlowMap(Average()), x, v, t, s)
    torch.testing.assert_close(gap, torch.zeros(5, 3), rtol=0, atol=1e-9)
    assert residual(FlowMap(Average()), x, v + 0.1, t, s).abs().max() > 0.01


def test_the_meanflow_target_is_affine_in_the_velocity(rng):
    # So the sample's own eps - x_0 may stand for v: the mean of the targets is the target at the mean.
    x, t, s = torch.randn(5, 3, generator=rng), torch.full((5,), T), torch.full((5,), S)
    v, w = torch.randn(2, 5, 3, generator=rng)
    gaps = [residual(FlowMap(Average()), x, u, t, s) for u in (v, w, 0.3 * v + 0.7 * w)]
    torch.testing.assert_close(gaps[2], 0.3 * gaps[0] + 0.7 * gaps[1])


def test_the_reverse_kl_fit_sits_on_the_larger_mode_and_the_forward_one_covers_both():
    x = torch.linspace(-6, 6, 1201)

    def bell(mean, std):
        return torch.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * (2 * math.pi) ** 0.5)

    def kl(q, p):
        return torch.trapezoid(torch.xlogy(q, q) - torch.xlogy(q, p.clamp(min=1e-300)), x).item()

    data = 0.65 * bell(-1.5, 0.5) + 0.35 * bell(1.5, 0.5)
    means, stds = torch.linspace(-2.5, 2.5, 26), torch.linspace(0.3, 2.5, 23)
    shapes = torch.cartesian_prod(means, stds).tolist()
    assert min(shapes, key=lambda f: kl(bell(*f), data)) == pytest.approx([-1.5, 0.5], abs=0.1)
    assert min(shapes, key=lambda f: kl(data, bell(*f))) == pytest.approx([-0.45, 1.52], abs=0.1)


def test_losing_a_tenth_of_the_data_costs_a_tenth_of_a_nat_in_reverse():
    p, q = torch.tensor([0.1, 0.4, 0.5]), torch.tensor([0.0, 0.4, 0.5]) / 0.9
    reverse = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum().item()
    assert reverse == pytest.approx(math.log(1 / 0.9)) == pytest.approx(0.105, abs=5e-4)
    assert (torch.xlogy(p, p) - torch.xlogy(p, q)).sum().item() == math.inf


def test_eq_few_dmd():
    # Student N(mu, 1/4), data of two modes, both noised: the slope of the KL in mu, against the two scores.
    process = Gaussian(VP())
    c = process.schedule.at(S, torch.empty(0))
    means, weights = torch.tensor([[-1.0], [1.5]]), torch.tensor([0.3, 0.7])
    data = GaussianMixture.isotropic(means, 0.4, weights)
    x = torch.linspace(-9, 9, 20_001)[:, None]

    def student(mu):
        return GaussianMixture.isotropic(torch.tensor([[mu]]), 0.5)

    def kl(mu):
        log_q, log_p = (law.log_prob(process, x, S) for law in (student(mu), data))
        return torch.trapezoid(log_q.exp() * (log_q - log_p), x[:, 0])

    h = 1e-4
    left = (kl(0.3 + h) - kl(0.3 - h)) / (2 * h)
    fake, real = (law.denoiser(process)(x, S).score[:, 0] for law in (student(0.3), data))
    density = student(0.3).log_prob(process, x, S).exp()
    right = torch.trapezoid(density * (fake - real) * c.a, x[:, 0])  # dx_t / dmu = a_t
    assert left.item() == pytest.approx(right.item(), rel=1e-6)
