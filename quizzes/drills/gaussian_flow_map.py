"""Where the ODE carries a point, when the data are Gaussian."""

import torch

HINTS = (
    "The ODE of a Gaussian keeps the number of standard deviations by which a point is away from the mean.",
    "On the straight line x_t has mean (1 - t) m and variance (1 - t)^2 std^2 + t^2.",
    "With spread(t) the root of that variance: (1 - s) m + spread(s) / spread(t) (x - (1 - t) m).",
)
BOOK = "few-steps#consistency"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, t, s in (((5, 3), 1.0, 0.0), ((7, 2), 0.8, 0.3), ((3, 1), 0.5, 0.4)):
        yield torch.randn(shape, generator=rng), t, s, 0.7, 0.5
    t, s = torch.tensor([[0.9], [0.6]]), torch.tensor([[0.2], [0.1]])
    yield torch.randn(2, 5, generator=rng), t, s, 0.7, 0.5


def gaussian_flow_map(x, t, s, mean, std):
    """x_s from x_t on the probability-flow ODE of data N(mean, std^2), x_t = (1 - t) x_0 + t eps. s = 0 is
    the consistency function. x: (b, d). t, s: numbers or (b, 1). mean, std: numbers."""
    spread_t, spread_s = (((1 - r) ** 2 * std**2 + r**2) ** 0.5 for r in (t, s))
    return (1 - s) * mean + spread_s / spread_t * (x - (1 - t) * mean)


def by_variances(x, t, s, mean, std):
    """You scale by the ratio of variances. Distances from the mean scale with standard deviations."""
    ratio = ((1 - s) ** 2 * std**2 + s**2) / ((1 - t) ** 2 * std**2 + t**2)
    return (1 - s) * mean + ratio * (x - (1 - t) * mean)


def not_centred(x, t, s, mean, std):
    """You scale x itself: take off the mean at t first, and put on the mean at s."""
    spread_t, spread_s = (((1 - r) ** 2 * std**2 + r**2) ** 0.5 for r in (t, s))
    return spread_s / spread_t * x


def one_euler_step(x, t, s, mean, std):
    """This is one Euler step with the velocity at t: right for small steps only, and asked is the ODE."""
    variance = (1 - t) ** 2 * std**2 + t**2
    off = x - (1 - t) * mean
    x0 = mean + (1 - t) * std**2 / variance * off
    return x + (s - t) * (t / variance * off - x0)


def spreads_added(x, t, s, mean, std):
    """You add standard deviations. Independent parts add their variances: root of the sum of squares."""
    spread_t, spread_s = ((1 - r) * std + r for r in (t, s))
    return (1 - s) * mean + spread_s / spread_t * (x - (1 - t) * mean)
