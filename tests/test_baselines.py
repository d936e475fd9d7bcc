"""The families diffusion is compared with: densities that integrate to one, bounds that hold, inverses."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from diffusion_lab.baselines import GAN, VAE, Adversarial, Autoregressive, Coupling, Likelihood
from diffusion_lab.training import Recipe, Trainer


def shaken(model, rng):
    """Weights that are not those of the start, where much is trivially right."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=rng))
    return model


@pytest.mark.parametrize(
    "build", [partial(Coupling, layers=3, width=11), partial(Autoregressive, bins=29, limit=8.0, width=11)]
)
def test_an_exact_likelihood_integrates_to_one(build, rng):
    model = shaken(build(), rng)
    side = torch.linspace(-8, 8, 407)
    mass = model.log_prob(torch.cartesian_prod(side, side)).exp().sum().item() * (16 / 406) ** 2
    assert mass == pytest.approx(1.0, abs=0.03)  # the grid's own error, and what lies outside the window


def test_a_coupling_flow_is_undone_exactly_and_its_determinant_is_that_of_the_jacobian(rng):
    model, x = shaken(Coupling(layers=5, width=7), rng), torch.randn(11, 2, generator=rng)
    z, log_det = model.to_noise(x)
    torch.testing.assert_close(model.to_data(z), x)
    for i in range(3):
        jacobian = torch.autograd.functional.jacobian(lambda p: model.to_noise(p[None])[0][0], x[i])
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, log_det[i])


def test_samples_of_the_autoregressive_model_have_its_probabilities(rng):
    model = shaken(Autoregressive(bins=3, width=5), rng)
    n = 20_011
    drawn = model.binned(model.sample(n, rng))
    centres = torch.cartesian_prod(*[torch.tensor([-8.0, 0.0, 8.0]) / 3] * 2)
    p = model.log_prob(centres).exp() * (8 / 3) ** 2
    counts = (drawn[:, 0] * 3 + drawn[:, 1]).bincount(minlength=9) / n
    assert (counts - p).abs().max() < 4 * (0.25 / n) ** 0.5
    assert p.sum().item() == pytest.approx(1.0)


def test_the_vaes_bound_is_exact_when_the_posterior_is(rng):
    # A linear decoder has a Gaussian posterior; with it as the encoder every draw of z gives log p(x).
    w, std = torch.randn(2, 2, generator=rng), 0.7
    precision = torch.eye(2) + w.T @ w / std**2
    model = VAE()
    model.log_std.data.fill_(math.log(std))
    model.decoder = torch.nn.Linear(2, 2, bias=False)
    model.decoder.weight.data = w
    eigen = torch.linalg.eigh(precision)
    w_turned = w @ eigen.eigenvectors  # turn z so that its posterior has independent parts
    model.decoder.weight.data = w_turned
    model.encoder = Posterior(w_turned, std, eigen.eigenvalues)
    x = torch.randn(7, 2, generator=rng)
    covariance = w @ w.T + std**2 * torch.eye(2)
    exact = torch.distributions.MultivariateNormal(torch.zeros(2), covariance).log_prob(x)
    torch.testing.assert_close(model.log_prob(x, rng), exact)


class Posterior(torch.nn.Module):
    """The exact encoder of a linear decoder with orthogonal columns."""

    def __init__(self, w, std, precision):
        super().__init__()
        self.w, self.std, self.precision = w, std, precision

    def forward(self, x):
        mean = x @ self.w / self.std**2 / self.precision
        return torch.cat([mean, (-self.precision.log() / 2).expand_as(mean)], 1)


def test_more_draws_tighten_the_vaes_bound(rng):
    model, x = shaken(VAE(width=7), rng), torch.randn(301, 2, generator=rng)
    one, many = model.log_prob(x, rng).mean(), model.log_prob(x, rng, k=50).mean()
    assert many > one


def test_neither_player_gets_the_others_gradient(rng):
    # The generator's loss at a frozen critic and the critic's at frozen samples: what each would get alone.
    model, x0 = shaken(GAN(width=5), rng), torch.randn(13, 2, generator=rng)
    draws = torch.Generator().manual_seed(3)
    Adversarial(model)(x0, None, draws).mean().backward()
    fake = model.sample(13, draws.manual_seed(3))
    critic = F.softplus(-model.critic(x0)) + F.softplus(model.critic(fake.detach()))
    alone = torch.autograd.grad(critic.mean(), list(model.critic.parameters()))
    for p, g in zip(model.critic.parameters(), alone):
        torch.testing.assert_close(p.grad, g)
    generator = F.softplus(-model.critic(fake)).mean()
    alone = torch.autograd.grad(generator, list(model.generator.parameters()))
    for p, g in zip(model.generator.parameters(), alone):
        torch.testing.assert_close(p.grad, g)


def test_the_penalty_is_the_squared_slope_of_a_linear_critic(rng):
    model, x0 = GAN(width=5), torch.randn(13, 2, generator=rng)
    model.critic = torch.nn.Linear(2, 1)
    rngs = [torch.Generator().manual_seed(0) for _ in range(2)]
    plain, penalised = (Adversarial(model, gamma)(x0, None, r) for gamma, r in zip((0.0, 0.6), rngs))
    slope = model.critic.weight.square().sum()
    torch.testing.assert_close(penalised - plain, (0.3 * 2 * slope).expand(13))


@pytest.mark.float32
@pytest.mark.parametrize(
    ("model", "objective"),
    [
        (VAE, Likelihood),
        (Coupling, Likelihood),
        (Autoregressive, Likelihood),
        (GAN, partial(Adversarial, gamma=0.1)),
    ],
)
def test_each_family_trains_in_the_one_trainer(model, objective, rng):
    x0 = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.2, 1.0])
    trainer = Trainer(objective(model()), lambda step: (x0, None), Recipe(steps=150, lr=1e-2, warmup=0))
    losses = [record.loss.item() for record in trainer.fit()]
    assert losses[-1] != losses[0]
    if objective is Likelihood:
        assert losses[-1] < losses[0] - 0.1
    assert trainer.averaged.sample(11, torch.Generator().manual_seed(1)).shape == (11, 2)
