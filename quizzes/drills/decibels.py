"""The error of a reconstruction in decibels."""

import torch

HINTS = (
    "The signal is the range of the data, squared; the noise is the mean squared error. The range is not 1.",
    "The range is 2, so the peak is 4. One mean over all pixels of all pictures, then one logarithm.",
    "10 * (4 / (x - y).square().mean()).log10(), with all axes in the mean.",
)
BOOK = "latent#autoencoder"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 1, 7, 3), (3, 2, 5, 11), (7, 13)):
        x = 2 * torch.rand(shape, generator=rng) - 1
        size = torch.linspace(0.02, 0.4, shape[0]).view(-1, *[1] * (len(shape) - 1))
        yield x, x + size * torch.randn(shape, generator=rng)


def decibels(x, y):
    """Peak signal-to-noise ratio of y against x, data in [-1, 1]: 10 log10(range^2 / mean squared error).
    x, y: (*n). Returns a tensor of one number."""
    return 10 * (4 / (x - y).square().mean()).log10()


def range_of_one(x, y):
    """You took the range as 1. From -1 to 1 it is 2: 6.02 dB are missing."""
    return 10 * (1 / (x - y).square().mean()).log10()


def natural(x, y):
    """The logarithm is to base 10."""
    return 10 * (4 / (x - y).square().mean()).log()


def twenty(x, y):
    """20 belongs to a ratio of amplitudes. A mean square is a ratio of powers already: 10."""
    return 20 * (4 / (x - y).square().mean()).log10()


def absolute(x, y):
    """The error is squared before its mean: large misses count more than the mean absolute error says."""
    return 10 * (4 / (x - y).abs().mean().square()).log10()


def mean_of_decibels(x, y):
    """You averaged decibels. Average the squared error over all pictures first, then take one logarithm."""
    return (10 * (4 / (x - y).square().flatten(1).mean(1)).log10()).mean()
