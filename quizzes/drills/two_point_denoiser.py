"""The simplest perfect denoiser."""

import torch

HINTS = (
    "Only two x_0 are possible. Weigh +1 and -1 by the density of the noise that each would need.",
    "exp(-(x - a)^2 / 2 sigma^2) against exp(-(x + a)^2 / 2 sigma^2): the squares of x and a cancel.",
    "(e^z - e^-z) / (e^z + e^-z) with z = a x / sigma^2, which is torch.tanh(a * x / sigma**2).",
)
BOOK = "forward#big-picture"


def cases():
    rng = torch.Generator().manual_seed(0)
    for a, sigma in ((0.8, 0.6), (0.3, 0.9), (1.0, 2.0)):
        yield torch.randn(5, 3, generator=rng), a, sigma


def two_point_denoiser(x, a, sigma):
    """E[x_0 | x], value by value, for x = a x_0 + sigma eps where x_0 is +1 or -1 with equal probability.
    x: any shape. a, sigma: numbers."""
    return torch.tanh(a * x / sigma**2)


def sigma_not_squared(x, a, sigma):
    """You divide by sigma. The exponent of a Gaussian holds sigma^2."""
    return torch.tanh(a * x / sigma)


def data_not_shrunk(x, a, sigma):
    """a is missing inside: at noise level t the two points lie at +a and -a, not at +1 and -1."""
    return torch.tanh(x / sigma**2)


def hard_decision(x, a, sigma):
    """That is the likelier of the two. The best squared-error answer is their mean, weighted by belief."""
    return torch.sign(x)


def straight_line(x, a, sigma):
    """That is the answer for Gaussian data of variance 1, a straight line. Two points bend it into a tanh."""
    return a * x / (a**2 + sigma**2)


def doubled(x, a, sigma):
    """A factor 2 too many: the two exponents differ by 2 a x / sigma^2, and a tanh takes half of that."""
    return torch.tanh(2 * a * x / sigma**2)
