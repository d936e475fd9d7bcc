"""The numbered equation of book/memorisation.md, and its exercise."""

import torch

from diffusion_lab.oracles import Points
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP, Cosine


def test_eq_memorisation_softmax(rng):
    # The weighted mean against Bayes' rule by enumeration of the training points' densities.
    train, x = torch.randn(7, 3, generator=rng), torch.randn(5, 3, generator=rng)
    c = VP().at(0.4, x)
    density = torch.distributions.Normal(c.a * train, float(c.sigma)).log_prob(x[:, None]).sum(-1).exp()
    posterior = density / density.sum(1, keepdim=True)
    torch.testing.assert_close(Points(train).denoiser(Gaussian(VP()))(x, 0.4).x0, posterior @ train)


def test_nothing_has_a_lower_loss_on_the_training_set_than_the_memoriser(rng):
    # Fifty small changes of the exact optimum, each with a larger mean loss than the optimum itself.
    train, process = torch.randn(5, 2, generator=rng), Gaussian(VP())
    x0 = train.repeat(2000, 1)
    noise = torch.randn(x0.shape, generator=rng)
    x = process.diffuse(x0, 0.5, noise)
    best = Points(train).denoiser(process)(x, 0.5).x0
    optimum = (best - x0).square().mean()
    for _ in range(50):
        change = 0.1 * torch.randn(2, generator=rng) + 0.1 * torch.randn((), generator=rng) * x
        assert ((best + change) - x0).square().mean() > optimum


def test_exercise_two_points():
    process = Gaussian(Cosine(offset=0.0))
    x = torch.linspace(-2, 2, 11)[:, None]
    got = Points(torch.tensor([[-1.0], [1.0]])).denoiser(process)(x, 0.5).x0
    torch.testing.assert_close(got, torch.tanh(2**0.5 * x))
