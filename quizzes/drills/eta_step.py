"""One step of the eta family, from DDIM to DDPM."""

import torch

HINTS = (
    "Read x_0_hat as DDIM does. Of the noise of x_s, a part f is drawn anew, the rest goes on along eps_hat.",
    "f is eta times the deviation of q(x_s | x_t, x_0): its square is (1 - abar_s) / (1 - abar_t) beta.",
    "With beta = 1 - abar_t / abar_s: sqrt(abar_s) x0 + sqrt(1 - abar_s - f^2) eps + f z.",
)
BOOK = "samplers#ddim"


def cases():
    rng = torch.Generator().manual_seed(0)
    for eta, abar_t, abar_s in ((1.0, 0.5, 0.6), (0.5, 0.04, 0.09), (0.0, 0.5, 0.9), (0.2, 0.7, 0.8)):
        x, eps, z = torch.randn(3, 5, 2, generator=rng)
        yield x, eps, z, eta, abar_t, abar_s


def eta_step(x, eps, z, eta, abar_t, abar_s):
    """x_s from x_t, eps_hat and new noise z; eta = 0 is DDIM, eta = 1 DDPM   (DDIM eq. 12 and 16).
    x (it is x_t), eps, z: (b, *d). eta, abar_t < abar_s: numbers. Returns (b, *d)."""
    x0 = (x - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5
    f = eta * ((1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)) ** 0.5
    return abar_s**0.5 * x0 + (1 - abar_s - f**2) ** 0.5 * eps + f * z


def _fresh(eta, abar_t, abar_s):
    return eta * ((1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)) ** 0.5


def unshrunk(x, eps, z, eta, abar_t, abar_s):
    """The old noise is not shrunk: sqrt(1 - abar_s) eps_hat is all of x_s's noise already, z comes on top."""
    return eta_step(x, eps, z, 0.0, abar_t, abar_s) + _fresh(eta, abar_t, abar_s) * z


def deviations_add(x, eps, z, eta, abar_t, abar_s):
    """You shrink the old noise to sigma_s - f. The noises are independent: variances add, not deviations."""
    f = _fresh(eta, abar_t, abar_s)
    x0 = (x - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5
    return abar_s**0.5 * x0 + ((1 - abar_s) ** 0.5 - f) * eps + f * z


def larger_variance(x, eps, z, eta, abar_t, abar_s):
    """You draw anew all that the forward step added. Part of that shows in x_t: only the share
    (1 - abar_s) / (1 - abar_t) of its variance is free."""
    f = eta * (1 - abar_t / abar_s) ** 0.5
    x0 = (x - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5
    return abar_s**0.5 * x0 + (1 - abar_s - f**2) ** 0.5 * eps + f * z


def variance_for_deviation(x, eps, z, eta, abar_t, abar_s):
    """z is multiplied by a variance. Fresh noise enters with its standard deviation f."""
    f = _fresh(eta, abar_t, abar_s)
    return eta_step(x, eps, f * z, eta, abar_t, abar_s)


def no_fresh_noise(x, eps, z, eta, abar_t, abar_s):
    """z is not used: the old noise shrinks and nothing takes its place, so x_s is too clean."""
    return eta_step(x, eps, 0 * z, eta, abar_t, abar_s)


def eta_ignored(x, eps, z, eta, abar_t, abar_s):
    """eta does not enter: that is DDPM's step whatever eta is."""
    return eta_step(x, eps, z, 1.0, abar_t, abar_s)
