"""The mean of one step back, if x_0 were known."""

import torch

HINTS = (
    "Two things are known of x_s: it comes from x_0, and x_t comes from it. Both are Gaussian: weigh them.",
    "With alpha = abar_t / abar_s, x_t is sqrt(alpha) x_s plus noise of variance 1 - alpha.",
    "(sqrt(alpha) (1 - abar_s) x + sqrt(abar_s) (1 - alpha) x0) / (1 - abar_t).",
)
BOOK = "reverse#posterior"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 3), (2, 2), (7, 1, 3, 5)):
        x, x0 = torch.randn(2, *shape, generator=rng)
        abar_s = 0.3 + 0.6 * torch.rand(shape[0], generator=rng)
        yield x, x0, abar_s * (0.1 + 0.8 * torch.rand(shape[0], generator=rng)), abar_s


def posterior_mean(x, x0, abar_t, abar_s):
    """E[x_s | x_t, x_0] for any earlier s   (DDPM eq. 7 for s = t - 1, where alpha = abar_t / abar_s).
    x (it is x_t), x0: (b, *d). abar_t < abar_s: (b,). Returns (b, *d)."""
    abar_t, abar_s = (k.view(-1, *[1] * (x.ndim - 1)) for k in (abar_t, abar_s))
    alpha = abar_t / abar_s
    return (alpha.sqrt() * (1 - abar_s) * x + abar_s.sqrt() * (1 - alpha) * x0) / (1 - abar_t)


def swapped(x, x0, abar_t, abar_s):
    """The two weights are swapped: for s near t the answer must be near x_t, for s near 0 near x_0."""
    return posterior_mean(x0, x, abar_t, abar_s)


def not_normalised(x, x0, abar_t, abar_s):
    """The division by 1 - abar_t, the noise variance at t, is missing."""
    abar_t = abar_t.view(-1, *[1] * (x.ndim - 1))
    abar_s = abar_s.view(-1, *[1] * (x.ndim - 1))
    alpha = abar_t / abar_s
    return alpha.sqrt() * (1 - abar_s) * x + abar_s.sqrt() * (1 - alpha) * x0


def roots_missing(x, x0, abar_t, abar_s):
    """The alphas that scale x_t and x_0 are shares of the variance: take their roots."""
    abar_t, abar_s = (k.view(-1, *[1] * (x.ndim - 1)) for k in (abar_t, abar_s))
    alpha = abar_t / abar_s
    return (alpha * (1 - abar_s) * x + abar_s * (1 - alpha) * x0) / (1 - abar_t)


def time_of_the_data_weight(x, x0, abar_t, abar_s):
    """x_0 has the root of abar_t in front. The step ends at s: it is the root of abar_s."""
    abar_t, abar_s = (k.view(-1, *[1] * (x.ndim - 1)) for k in (abar_t, abar_s))
    alpha = abar_t / abar_s
    return (alpha.sqrt() * (1 - abar_s) * x + abar_t.sqrt() * (1 - alpha) * x0) / (1 - abar_t)


def prediction_only(x, x0, abar_t, abar_s):
    """That is the mean without x_t, sqrt(abar_s) x_0: x_t knows something about the noise at s."""
    return abar_s.view(-1, *[1] * (x.ndim - 1)).sqrt() * x0
