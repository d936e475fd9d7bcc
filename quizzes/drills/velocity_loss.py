"""The loss of flow matching on the straight line."""

import torch

HINTS = (
    "Time runs from data (t = 0) to noise (t = 1), on a straight line between x_0 and eps.",
    "The target is the line's own speed: the derivative of x_t with respect to t. It does not depend on t.",
    "x_t = (1 - t) x0 + t eps with t as (b, 1, ...); (net(x_t, t) - (eps - x0)) ** 2, averaged per example.",
)
BOOK = "flow#conditional-flow-matching"


def _net(x, t):
    return torch.tanh(x) + t.view(-1, *[1] * (x.ndim - 1)) * x


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 3), (2, 2), (3, 1, 5, 7)):
        x0, eps = torch.randn(2, *shape, generator=rng)
        yield _net, x0, eps, torch.rand(shape[0], generator=rng)


def velocity_loss(net, x0, eps, t):
    """Squared error of the velocity on x_t = (1 - t) x_0 + t eps, averaged over each example's values.
    net: (x (b, *d), t (b,)) -> (b, *d). x0, eps: (b, *d). t: (b,). Returns (b,)."""
    s = t.view(-1, *[1] * (x0.ndim - 1))
    x = (1 - s) * x0 + s * eps
    return (net(x, t) - (eps - x0)).square().flatten(1).mean(1)


def towards_data(net, x0, eps, t):
    """Your target points to the data. dx_t / dt points to where t grows: from data to noise."""
    s = t.view(-1, *[1] * (x0.ndim - 1))
    return (net((1 - s) * x0 + s * eps, t) - (x0 - eps)).square().flatten(1).mean(1)


def other_clock(net, x0, eps, t):
    """x_t and target follow the papers' other clock, data at t = 1. Here data are at t = 0."""
    return velocity_loss(net, eps, x0, t)


def half_other_clock(net, x0, eps, t):
    """x_t runs from noise to data, the target from data to noise: two conventions in one line."""
    s = t.view(-1, *[1] * (x0.ndim - 1))
    return (net(s * x0 + (1 - s) * eps, t) - (eps - x0)).square().flatten(1).mean(1)


def asks_for_the_noise(net, x0, eps, t):
    """You ask for eps. The velocity of the line is the difference of its ends."""
    s = t.view(-1, *[1] * (x0.ndim - 1))
    return (net((1 - s) * x0 + s * eps, t) - eps).square().flatten(1).mean(1)


def one_number(net, x0, eps, t):
    """You average over the batch too: one loss per example is asked for."""
    return velocity_loss(net, x0, eps, t).mean()
