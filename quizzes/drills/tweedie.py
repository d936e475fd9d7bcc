"""Read the clean mean off the score."""

import torch

HINTS = (
    "The score is the mean of -(x_t - a x_0) / sigma^2 over all x_0 that could lie behind x_t.",
    "That mean is linear in E[x_0 | x_t]: solve for it.",
    "(x_t + sigma^2 score) / a, with a and sigma of shape (b, 1, ..., 1).",
)
BOOK = "score#tweedie"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 3), (2, 2), (7, 1, 3, 5)):
        x, score = torch.randn(2, *shape, generator=rng)
        yield x, score, 0.1 + torch.rand(shape[0], generator=rng), 0.1 + torch.rand(shape[0], generator=rng)


def tweedie(x, score, a, sigma):
    """E[x_0 | x_t], where x_t = a x_0 + sigma eps. x, score: (b, *d). a, sigma: (b,). Returns (b, *d)."""
    a, sigma = (k.view(-1, *[1] * (x.ndim - 1)) for k in (a, sigma))
    return (x + sigma**2 * score) / a


def signal_not_rescaled(x, score, a, sigma):
    """The signal was scaled by a on its way in: divide by it. As it stands this is the case a = 1."""
    return tweedie(x, score, torch.ones_like(a), sigma)


def root_of_the_variance(x, score, a, sigma):
    """The score carries one over the variance: in front of it belongs sigma squared, not sigma."""
    return tweedie(x, score, a, sigma.sqrt())


def away_from_the_data(x, score, a, sigma):
    """The score points towards the data: add it."""
    return tweedie(x, -score, a, sigma)


def correction_not_rescaled(x, score, a, sigma):
    """Only x_t is divided by a: the correction has to be as well."""
    a, sigma = (k.view(-1, *[1] * (x.ndim - 1)) for k in (a, sigma))
    return x / a + sigma**2 * score


def variance_preserving_only(x, score, a, sigma):
    """You put 1 - a^2 for the noise variance. That needs a variance preserving path; sigma is free here."""
    a = a.view(-1, *[1] * (x.ndim - 1))
    return (x + (1 - a**2) * score) / a
