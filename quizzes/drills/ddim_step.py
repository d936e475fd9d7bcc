"""One step of DDIM."""

import torch

HINTS = (
    "Read x_0_hat from x_t and eps_hat, then build x_s as the forward process would, with the same eps_hat.",
    "x0 = (x - sigma_t eps) / a_t.",
    "a_s * (x - sigma_t * eps) / a_t + sigma_s * eps.",
)
BOOK = "samplers#ddim"


def cases():
    rng = torch.Generator().manual_seed(0)
    for a_t, sigma_t, a_s, sigma_s in ((0.6, 0.8, 0.8, 0.6), (0.1, 0.9, 0.3, 0.7), (1.0, 5.0, 1.0, 2.0)):
        x, eps = torch.randn(2, 5, 3, generator=rng)
        yield x, eps, a_t, sigma_t, a_s, sigma_s


def ddim_step(x, eps, a_t, sigma_t, a_s, sigma_s):
    """x_s from x_t and the network's eps_hat, without fresh noise, for any earlier s.
    x, eps: (b, *d). The rest: numbers."""
    x0 = (x - sigma_t * eps) / a_t
    return a_s * x0 + sigma_s * eps


def x0_not_scaled(x, eps, a_t, sigma_t, a_s, sigma_s):
    """x_0_hat is not divided by a_t: x_t minus its noise is still the data shrunk by a_t."""
    return a_s * (x - sigma_t * eps) + sigma_s * eps


def old_noise_level(x, eps, a_t, sigma_t, a_s, sigma_s):
    """The noise goes back at the old level sigma_t: then nothing gets cleaner."""
    return a_s * (x - sigma_t * eps) / a_t + sigma_t * eps


def noise_only_removed(x, eps, a_t, sigma_t, a_s, sigma_s):
    """No noise is put back: that is a jump to a_s x_0_hat, not a point at noise level s."""
    return a_s * (x - sigma_t * eps) / a_t


def times_swapped(x, eps, a_t, sigma_t, a_s, sigma_s):
    """The two times are swapped: read x_0 with the coefficients of t, build x_s with those of s."""
    return ddim_step(x, eps, a_s, sigma_s, a_t, sigma_t)
