"""Oracles are exact: scores are gradients, posteriors sum up, memorisers remember."""

import pytest
import torch

from diffusion_lab.oracles import GaussianMixture, Points, TokenTable
from diffusion_lab.processes import Categorical, Gaussian
from diffusion_lab.schedules import VP, Flow

from .laws import SCHEDULES, mixture


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [0.31, torch.tensor([0.1, 0.31, 0.5, 0.7, 0.9])], ids=["number", "tensor"])
def test_the_score_is_the_gradient_of_the_log_density(schedule, t, rng):
    law, process = mixture(rng), Gaussian(schedule)
    x = torch.randn(5, 3, generator=rng, requires_grad=True)
    (grad,) = torch.autograd.grad(law.log_prob(process, x, t).sum(), x)
    torch.testing.assert_close(law.denoiser(process)(x.detach(), t).score, grad, rtol=1e-6, atol=1e-8)


def test_tweedie_gives_the_posterior_covariance(rng):
    # Cov[x_0 | x_t] = sigma^2 / a^2 (I + sigma^2 Hessian log q), against the closed form of one Gaussian.
    law = GaussianMixture.isotropic(torch.zeros(1, 3), 0.7)
    process, t = Gaussian(VP()), 0.4
    c = process.schedule.at(t, torch.empty(0))
    hessian = torch.autograd.functional.hessian(
        lambda x: law.log_prob(process, x[None], t).sum(), torch.randn(3, generator=rng)
    )
    got = c.sigma**2 / c.a**2 * (torch.eye(3) + c.sigma**2 * hessian)
    want = 0.7**2 * c.sigma**2 / (c.a**2 * 0.7**2 + c.sigma**2) * torch.eye(3)
    torch.testing.assert_close(got, want)


def test_density_and_classes_of_a_mixture(rng):
    law, process, t = mixture(rng), Gaussian(Flow()), 0.3
    x = torch.randn(7, 3, generator=rng)
    c = process.schedule.at(t, x)
    parts = torch.stack(
        [
            torch.distributions.MultivariateNormal(
                c.a * m, c.a**2 * cov + c.sigma**2 * torch.eye(3)
            ).log_prob(x).exp() * w
            for m, cov, w in zip(law.means, law.covs, law.weights)
        ],
        1,
    )  # fmt: skip
    torch.testing.assert_close(law.log_prob(process, x, t), parts.sum(1).log())
    by_class = torch.stack([parts[:, :2].sum(1), parts[:, 2:].sum(1)], 1)
    torch.testing.assert_close(law.class_log_prob(process, x, t).exp(), by_class / parts.sum(1, keepdim=True))


def test_the_unconditional_mean_is_the_average_of_the_conditional_ones(rng):
    law, process, t = mixture(rng), Gaussian(VP()), 0.5
    denoise, x = law.denoiser(process), torch.randn(7, 3, generator=rng)
    p = law.class_log_prob(process, x, t).exp()
    mean = sum(p[:, k, None] * denoise(x, t, torch.tensor([k])).x0 for k in (0, 1))
    torch.testing.assert_close(mean, denoise(x, t).x0)
    torch.testing.assert_close(mean, denoise(x, t, torch.full((7,), law.null)).x0)


def test_samples_of_a_mixture_have_its_moments(rng):
    law = mixture(rng)
    x, labels = law.sample(50_021, rng)
    mean = law.weights @ law.means
    cov = torch.einsum("k,kij->ij", law.weights, law.covs + law.means[:, :, None] * law.means[:, None])
    cov -= mean[:, None] * mean
    error = (torch.diag(cov) / len(x)).sqrt()
    assert ((x.mean(0) - mean).abs() < 4 * error).all()
    torch.testing.assert_close(x.T.cov(), cov, rtol=0.05, atol=0.05)
    assert (labels == 0).double().mean() == pytest.approx(0.4, abs=0.01)


def test_points_are_a_mixture_of_needles(rng):
    data = torch.randn(11, 2, 3, generator=rng)
    process, x = Gaussian(VP()), torch.randn(5, 2, 3, generator=rng)
    needles = GaussianMixture.isotropic(data.flatten(1), 1e-9)
    for t in (0.2, torch.linspace(0.1, 0.9, 5)):
        torch.testing.assert_close(
            Points(data).denoiser(process)(x, t).x0.flatten(1),
            needles.denoiser(process)(x.flatten(1), t).x0,
        )


def test_a_perfect_model_of_few_points_returns_the_points(rng):
    from diffusion_lab import grids
    from diffusion_lab.samplers import ddim, final

    data = torch.randn(11, 5, generator=rng)
    process = Gaussian(VP())
    samples = final(
        ddim(Points(data).denoiser(process), torch.randn(53, 5, generator=rng), grids.karras(VP(), 50))
    )
    assert torch.cdist(samples, data).amin(1).max() < 1e-6


def test_token_table_conditions_on_what_shows(rng):
    p = torch.rand(8, generator=rng)
    p /= p.sum()
    process = Categorical.masked(Flow(), 2)
    joint = p.reshape(2, 2, 2)
    got = TokenTable(p, 3, 2).denoiser(process)(torch.tensor([[1, 2, 0]]), 0.5).exp()[0]
    middle = joint[1, :, 0] / joint[1, :, 0].sum()
    torch.testing.assert_close(got[1], torch.tensor([middle[0], middle[1], 0.0]))
    torch.testing.assert_close(got[0], torch.tensor([0.0, 1.0, 0.0]))


def test_token_table_is_the_same_for_a_number_and_a_tensor_of_times(rng):
    p = torch.rand(9, generator=rng)
    process = Categorical.uniform(Flow(), 3)
    denoise, x = TokenTable(p / p.sum(), 2, 3).denoiser(process), torch.tensor([[0, 2], [1, 1]])
    torch.testing.assert_close(denoise(x, 0.3), denoise(x, torch.tensor([0.3, 0.3])))
