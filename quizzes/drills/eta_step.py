"""One step with a share of fresh noise."""

import torch

HINTS = (
    "x_s must have noise of variance sigma_s^2 in all: old and fresh noise share it.",
    "If the fresh part has standard deviation f = fresh * sigma_s, the old one has sqrt(sigma_s^2 - f^2).",
    "a_s * x0 + (sigma_s**2 - f**2) ** 0.5 * eps + f * z.",
)
BOOK = "samplers#ddim"


def cases():
    rng = torch.Generator().manual_seed(0)
    for a_s, sigma_s, fresh in ((0.8, 0.6, 0.5), (0.3, 0.9, 0.2), (1.0, 3.0, 0.9)):
        x0, eps, z = torch.randn(3, 5, 2, generator=rng)
        yield x0, eps, z, a_s, sigma_s, fresh


def eta_step(x0, eps, z, a_s, sigma_s, fresh):
    """x_s from x_0_hat, eps_hat and new noise z; fresh in [0, 1] is the new noise's share of sigma_s:
    0 is DDIM, all of it a consistency sampler   (DDIM eq. 12). x0, eps, z: (b, *d). The rest: numbers."""
    f = fresh * sigma_s
    return a_s * x0 + (sigma_s**2 - f**2) ** 0.5 * eps + f * z


def unshrunk(x0, eps, z, a_s, sigma_s, fresh):
    """The old noise is not shrunk: sigma_s eps_hat holds all the noise of x_s already, z comes on top."""
    return a_s * x0 + sigma_s * eps + fresh * sigma_s * z


def linear_share(x0, eps, z, a_s, sigma_s, fresh):
    """The two noises are independent: their variances add up to sigma_s^2, not their standard deviations."""
    return a_s * x0 + (1 - fresh) * sigma_s * eps + fresh * sigma_s * z


def variance_for_deviation(x0, eps, z, a_s, sigma_s, fresh):
    """z is multiplied by a variance. Fresh noise enters with its standard deviation fresh * sigma_s."""
    f = fresh * sigma_s
    return a_s * x0 + (sigma_s**2 - f**2) ** 0.5 * eps + f**2 * z


def no_fresh_noise(x0, eps, z, a_s, sigma_s, fresh):
    """z is not used: the old noise shrinks and nothing takes its place, so x_s is too clean."""
    return a_s * x0 + (sigma_s**2 - (fresh * sigma_s) ** 2) ** 0.5 * eps
