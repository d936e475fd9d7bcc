"""Both halves of the evidence bound, on one scale."""

import math

import torch

HINTS = (
    "Two terms per example: minus log N(x; mean, std^2), and the KL from N(mu, exp(logvar)) to N(0, 1).",
    "Both are sums, one over the values of x, one over the latents. An average on one side breaks the scale.",
    "KL = (mu^2 + exp(logvar) - 1 - logvar) / 2, summed; log N = -(r^2 + log 2 pi) / 2 - log std, summed.",
)
BOOK = "comparison#vae"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, latents, std in (((5, 3), 2, 0.7), ((3, 1, 5, 7), 11, 1.3), ((2, 13), 3, 0.2)):
        x, mean = torch.randn(2, *shape, generator=rng)
        mu, logvar = torch.randn(2, shape[0], latents, generator=rng)
        yield x, mean, mu, logvar, std


def vae_loss(x, mean, mu, logvar, std):
    """-ELBO in nats. x and the decoder's mean: (b, *d), decoder N(mean, std^2), std a number.
    The code's mu and logvar: (b, l). Returns (b,)."""
    residual = (x - mean).flatten(1) / std
    decoder = (residual**2 + math.log(2 * math.pi)).sum(1) / 2 + residual.shape[1] * math.log(std)
    kl = (mu**2 + logvar.exp() - 1 - logvar).sum(1) / 2
    return decoder + kl


def values_averaged(x, mean, mu, logvar, std):
    """The decoder's term is averaged over the values, the KL summed: the KL wins, the code is ignored."""
    kl = (mu**2 + logvar.exp() - 1 - logvar).sum(1) / 2
    return (vae_loss(x, mean, mu, logvar, std) - kl) / x[0].numel() + kl


def latents_averaged(x, mean, mu, logvar, std):
    """The KL is averaged over the latents: it is a sum, or the bound is no bound any more."""
    kl = (mu**2 + logvar.exp() - 1 - logvar).sum(1) / 2
    return vae_loss(x, mean, mu, logvar, std) - kl + kl / mu.shape[1]


def kl_subtracted(x, mean, mu, logvar, std):
    """The KL has the wrong sign: leaving the prior has to cost something."""
    return vae_loss(x, mean, mu, logvar, std) - (mu**2 + logvar.exp() - 1 - logvar).sum(1)


def deviation_for_variance(x, mean, mu, logvar, std):
    """exp(logvar) is the variance already: you take it for the deviation and square it."""
    return vae_loss(x, mean, mu, 2 * logvar, std)


def width_forgotten(x, mean, mu, logvar, std):
    """log std is missing. Without it a learned std would grow without limit and excuse every error."""
    return vae_loss(x, mean, mu, logvar, std) - x[0].numel() * math.log(std)
