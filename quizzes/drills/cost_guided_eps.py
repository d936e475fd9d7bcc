"""Steer a trained model by a cost that it has never seen."""

import torch

HINTS = (
    "The cost judges a finished plan: give it x_0_hat, and ask how the cost changes with x_t.",
    "A sampler walks against eps: to lower the cost, add its gradient. eps is sigma times minus the score.",
    "x = x.detach().requires_grad_(); x0 = (x - sigma * eps(x)) / a; torch.autograd.grad(cost(x0).sum(), x).",
)
BOOK = "modalities#trajectories"


def _eps(x):
    return torch.tanh(1.3 * x) + 0.2 * x.flip(1)


def _cost(x0):
    return (x0 - 0.7).square().flatten(1).sum(1)


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, a, sigma in (((5, 3), 0.8, 0.6), ((3, 7, 2), 0.3, 0.7), ((2, 2), 0.6, 0.8)):
        yield _eps, torch.randn(shape, generator=rng), a, sigma, _cost, 0.3


def cost_guided_eps(eps, x, a, sigma, cost, scale):
    """eps_hat + scale sigma grad cost(x_0_hat), the gradient with respect to x_t, through the network.
    eps: x -> like x. x: (b, *d). a, sigma: numbers. cost: x_0 -> (b,). Returns (b, *d), detached."""
    x = x.detach().requires_grad_()
    noise = eps(x)
    x0 = (x - sigma * noise) / a
    (grad,) = torch.autograd.grad(cost(x0).sum(), x)
    return (noise + scale * sigma * grad).detach()


def uphill(eps, x, a, sigma, cost, scale):
    """The sign is turned: this steers towards high cost. A sampler walks against eps."""
    return cost_guided_eps(eps, x, a, sigma, cost, -scale)


def sigma_missing(eps, x, a, sigma, cost, scale):
    """sigma is missing: the gradient belongs to the score, and eps = -sigma times the score."""
    return cost_guided_eps(eps, x, a, sigma, cost, scale / sigma)


def past_the_network(eps, x, a, sigma, cost, scale):
    """Your gradient does not go through the network: with eps_hat held fixed, x_0_hat moves as x_t / a."""
    x = x.detach().requires_grad_()
    noise = eps(x).detach()
    (grad,) = torch.autograd.grad(cost((x - sigma * noise) / a).sum(), x)
    return noise + scale * sigma * grad


def by_the_belief(eps, x, a, sigma, cost, scale):
    """Your gradient is with respect to x_0_hat. What the sampler moves is x_t: differentiate down to it."""
    noise = eps(x)
    x0 = ((x - sigma * noise) / a).detach().requires_grad_()
    (grad,) = torch.autograd.grad(cost(x0).sum(), x0)
    return noise + scale * sigma * grad


def of_the_noisy_plan(eps, x, a, sigma, cost, scale):
    """The cost is taken of the noisy x_t. It is defined on clean plans: give it x_0_hat."""
    z = x.detach().requires_grad_()
    (grad,) = torch.autograd.grad(cost(z).sum(), z)
    return eps(x) + scale * sigma * grad


def mean_over_the_batch(eps, x, a, sigma, cost, scale):
    """You differentiate the batch's mean cost: each example then feels 1 / b of its own. Take the sum."""
    return cost_guided_eps(eps, x, a, sigma, cost, scale / len(x))
