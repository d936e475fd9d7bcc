"""Guide a network with one call per step."""

import torch

HINTS = (
    "Stack the batch on itself, once with the condition, once with the null one, and split the answer.",
    "cat and chunk keep the order: what you stack first comes out first.",
    "eps_null + w (eps_cond - eps_null): at w = 0 the condition drops out, at w = 1 the null one does.",
)
BOOK = "guidance#the-code"


def _net(x, t, cond):
    scale = (1 + t + cond).view(-1, *[1] * (x.ndim - 1))
    return torch.sin(scale * x) + cond.view_as(scale)


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, w in (((5, 3), 2.5), ((7, 1, 3, 2), 1.0), ((3, 2), 0.0), ((2, 5), 7.5)):
        x, t = torch.randn(shape, generator=rng), torch.rand(shape[0], generator=rng)
        yield _net, x, t, torch.arange(shape[0]), torch.full((shape[0],), 11), w


def guided_eps(net, x, t, cond, null, w):
    """Guided noise; w = 1 is off. x: (b, *d). t, cond, null: (b,). net(x, t, cond) -> (b, *d)."""
    both = net(torch.cat([x, x]), torch.cat([t, t]), torch.cat([cond, null]))
    eps_cond, eps_null = both.chunk(2)
    return eps_null + w * (eps_cond - eps_null)


def halves_swapped(net, x, t, cond, null, w):
    """The two halves are swapped: what is stacked first comes out first. So samples flee the class."""
    return guided_eps(net, x, t, null, cond, w)


def other_convention(net, x, t, cond, null, w):
    """You start from the conditional prediction, where the factor is g = w - 1. Here w = 1 must be off."""
    return guided_eps(net, x, t, cond, null, 1 + w)


def sum_instead_of_difference(net, x, t, cond, null, w):
    """You add w times the conditional prediction, not the difference: the two weights must sum to 1."""
    return net(x, t, null) + w * net(x, t, cond)


def difference_turned_round(net, x, t, cond, null, w):
    """The difference is turned round: it has to point from the null prediction to the conditional one."""
    return guided_eps(net, x, t, cond, null, -w)
