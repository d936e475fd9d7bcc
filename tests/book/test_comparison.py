"""Both sides of every numbered equation of book/comparison.md, and the claims of its tables."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import MultivariateNormal, kl_divergence

from diffusion_lab.baselines import VAE, Coupling
from diffusion_lab.setup.steps import ROOT


def test_eq_comparison_elbo(rng):
    # A linear decoder has a Gaussian posterior, so both divergences and log p(x) are closed forms.
    w, std = torch.randn(3, 2, generator=rng), 0.7
    posterior = torch.linalg.inv(torch.eye(2) + w.T @ w / std**2)
    x = torch.randn(3, generator=rng)
    true = MultivariateNormal(posterior @ w.T @ x / std**2, posterior)
    prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
    log_p = MultivariateNormal(torch.zeros(3), w @ w.T + std**2 * torch.eye(3)).log_prob(x)
    mean, cov = torch.tensor([0.3, -0.8]), torch.tensor([[0.5, 0.1], [0.1, 0.3]])
    q = MultivariateNormal(mean, cov)
    square = (x - w @ mean).square().sum() + (w @ cov @ w.T).trace()
    reconstruction = -square / (2 * std**2) - 1.5 * math.log(2 * math.pi * std**2)
    elbo = reconstruction - kl_divergence(q, prior)
    assert elbo < log_p
    torch.testing.assert_close(elbo + kl_divergence(q, true), log_p)


def test_the_vaes_bound_is_that_reconstruction_minus_that_divergence(rng):
    # One long mean of the code's own estimate, against the two terms.
    model, x = VAE(width=7), torch.randn(1, 2, generator=rng)
    mean, log_std = model.encoder(x).chunk(2, 1)
    n = 100_003
    z = mean + log_std.exp() * torch.randn(n, 2, generator=rng)
    kl = (mean.square() + (2 * log_std).exp() - 1 - 2 * log_std).sum() / 2
    expected = model.log_decoder(x, z[:, None]).mean() - kl
    got = model.log_prob(x.expand(n, 2), rng).mean()
    assert got.item() == pytest.approx(expected.item(), abs=0.02)


@pytest.mark.parametrize("m", [0.5, 1.0, 3.0])
def test_eq_comparison_estimators(m):
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights = weights / weights.sum()
    z = m + nodes
    for values, variance in ((z**2 * (z - m), m**4 + 14 * m**2 + 15), (2 * z, 4)):
        assert weights @ values == pytest.approx(2 * m)
        assert weights @ (values - 2 * m) ** 2 == pytest.approx(variance)


def test_eq_comparison_blur():
    # A code that leaves -1 (three times out of four) and +2 open: by search on a grid.
    x, p = torch.tensor([-1.0, 2.0]), torch.tensor([0.75, 0.25])

    def loss(fit):
        mean, std = fit
        return float(p @ (((x - mean) / std).square() / 2 + math.log(std)))

    fits = itertools.product(np.linspace(-1.5, 2.5, 161), np.linspace(0.2, 3, 141))
    mean, std = min(fits, key=loss)
    assert mean == pytest.approx(float(p @ x), abs=0.03)
    assert std**2 == pytest.approx(float(p @ (x - p @ x).square()), abs=0.06)


@pytest.fixture
def laws(rng):
    return torch.rand(2, 9, generator=rng).softmax(1) * 0.5 + torch.rand(2, 9, generator=rng).softmax(1) * 0.5


def critic_loss(logits, p, q):
    return p @ F.softplus(-logits) + q @ F.softplus(logits)


def test_eq_comparison_critic(laws):
    # Newton's method on the loss itself, which knows nothing of Bayes' rule.
    p, q = laws
    logits = torch.zeros(9, requires_grad=True)
    for _ in range(20):
        (slope,) = torch.autograd.grad(critic_loss(logits, p, q), logits)
        s = logits.sigmoid()
        logits = (logits - slope / ((p + q) * s * (1 - s))).detach().requires_grad_()
    torch.testing.assert_close(logits.detach().sigmoid(), p / (p + q))


def js(p, q):
    middle = (p + q) / 2
    return sum((a * (a / middle).log()).sum() for a in (p, q)) / 2


def test_eq_comparison_js(laws):
    p, q = laws
    torch.testing.assert_close(critic_loss((p / q).log(), p, q), 2 * math.log(2) - 2 * js(p, q))


def test_eq_comparison_nonsaturating(laws, rng):
    p, _ = laws
    theta = torch.randn(9, generator=rng, requires_grad=True)
    q = theta.softmax(0)
    best = (p / q).log().detach()
    (step,) = torch.autograd.grad(q @ F.softplus(-best), theta, retain_graph=True)
    (divergence,) = torch.autograd.grad((q * (q / p).log()).sum() - 2 * js(p, q), theta)
    torch.testing.assert_close(step, divergence)


def test_against_a_stale_critic_the_next_mode_beats_covering_all():
    p, one, other = torch.full((8,), 1 / 8), torch.eye(8)[0], torch.eye(8)[1]
    stale = (p / one.clamp(min=1e-6)).log()
    losses = {name: float(q @ F.softplus(-stale)) for name, q in (("one", one), ("all", p), ("other", other))}
    assert losses["other"] < 0.01 < losses["all"] < losses["one"]
    best_at_all = float(p @ F.softplus(torch.zeros(8)))
    assert best_at_all < losses["one"]  # with a critic that answers at once, covering pays


def test_eq_comparison_chain(rng):
    # The product of conditionals, made by counting, in two orders of the elements.
    p = torch.rand(3, 4, 2, generator=rng)
    p = p / p.sum()
    for order in ((0, 1, 2), (2, 0, 1)):
        turned = p.permute(order)
        first = turned.sum((1, 2))
        second = turned.sum(2) / first[:, None]
        third = turned / turned.sum(2, keepdim=True)
        torch.testing.assert_close(first[:, None, None] * second[:, :, None] * third, turned)


def test_eq_comparison_change(rng):
    model = Coupling(layers=5, width=7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=rng))
    x = torch.randn(7, 2, generator=rng)
    for i in range(7):
        jacobian = torch.autograd.functional.jacobian(lambda y: model.to_noise(y[None])[0][0], x[i])
        z = model.to_noise(x[i : i + 1])[0]
        gaussian = -(z.square().sum() / 2 + math.log(2 * math.pi))
        expected = gaussian + torch.linalg.det(jacobian).abs().log()
        torch.testing.assert_close(model.log_prob(x[i : i + 1])[0], expected)


def normal(x, m, s):
    return torch.exp(-(((x - m) / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))


def test_eq_comparison_moments():
    # The slopes of the divergence in m and log s vanish at the moments, and not beside them.
    x = torch.linspace(-9, 9, 3601)
    p = 0.3 * normal(x, -2, 0.5) + 0.7 * normal(x, 1, 0.8)
    mean = torch.trapezoid(p * x, x)
    std = torch.trapezoid(p * (x - mean) ** 2, x).sqrt()

    def slopes(m, s):
        fit = torch.stack([m, s.log()]).requires_grad_()
        log_q = -(((x - fit[0]) / fit[1].exp()) ** 2) / 2 - fit[1]
        return torch.autograd.grad(-torch.trapezoid(p * log_q, x), fit)[0]

    torch.testing.assert_close(slopes(mean, std), torch.zeros(2), rtol=0, atol=1e-9)
    assert slopes(mean + 0.1, std * 1.1).abs().min() > 0.01


def test_the_other_direction_sits_on_a_peak():
    x = torch.linspace(-7, 7, 701)
    p = (normal(x, -2, 0.5) + normal(x, 2, 0.5)) / 2
    fits = [(m / 4, s / 10) for m in range(-12, 13) for s in range(3, 31)]

    def seeking(fit):
        q = normal(x, *fit)
        return float(torch.xlogy(q, q / p.clamp(min=1e-300)).sum())

    mean, std = min(fits, key=seeking)
    assert abs(mean) == pytest.approx(2)
    assert std == pytest.approx(0.5)


def test_the_bridges_of_the_flow_are_those_of_the_table():
    page = (ROOT / "book/comparison.md").read_text(encoding="utf-8")
    near = re.search(r"^\| normalizing flow, .*\| ([\d.]+) \| [\d.]+ \|$", page, re.M)
    said = re.search(r"bridges, thin but there \(([\d.]+) \*near\* in the table\)", page)
    assert near
    assert said
    assert near[1] == said[1]
