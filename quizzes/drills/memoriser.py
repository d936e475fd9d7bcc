"""The perfect denoiser of a training set."""

import torch

HINTS = (
    "The law is a few points: first find how probable each of them is, given x_t.",
    "log N(x_t; a x_i, sigma^2) = -|x_t - a x_i|^2 / (2 sigma^2) + const: a softmax over the points.",
    "weights = (-torch.cdist(x, a * data) ** 2 / (2 * sigma**2)).softmax(1); the mean is weights @ data.",
)
BOOK = "memorisation#why-not-memorise"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, n, d, a, sigma in ((5, 7, 3, 0.8, 0.6), (3, 2, 1, 0.5, 0.5), (2, 11, 5, 0.9, 1.7)):
        yield torch.randn(b, d, generator=rng), torch.randn(n, d, generator=rng), a, sigma


def memoriser(x, data, a, sigma):
    """E[x_0 | x_t], if the law of x_0 is the n training points, each as likely. x: (b, d). data: (n, d).
    x_t = a x_0 + sigma eps; a, sigma: numbers. Returns (b, d)."""
    weights = (-(torch.cdist(x, a * data) ** 2) / (2 * sigma**2)).softmax(1)
    return weights @ data


def points_not_scaled(x, data, a, sigma):
    """x_t is compared with the points themselves: on the way to x_t they were scaled by a."""
    return (-(torch.cdist(x, data) ** 2) / (2 * sigma**2)).softmax(1) @ data


def half_missing(x, data, a, sigma):
    """A Gaussian's exponent is |x|^2 over twice the variance: the 2 is missing."""
    return memoriser(x, data, a, sigma / 2**0.5)


def deviation_for_variance(x, data, a, sigma):
    """You divide by twice the deviation. It is twice the variance: sigma squared."""
    return memoriser(x, data, a, sigma**0.5)


def nearest_only(x, data, a, sigma):
    """That is the nearest point, the limit sigma = 0. Before it all points have a say."""
    return data[torch.cdist(x, a * data).argmin(1)]


def softmax_over_the_batch(x, data, a, sigma):
    """The softmax runs over the batch: for each x_t the weights of the points must sum to 1."""
    return (-(torch.cdist(x, a * data) ** 2) / (2 * sigma**2)).softmax(0) @ data
