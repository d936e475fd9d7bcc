"""Jump from x_0 to x_t in one draw."""

import torch

HINTS = (
    "x_t is a sum of two terms: what is left of the data, and the noise that has come in.",
    "alpha-bar is a share of the variance, so amplitudes are its roots.",
    "sqrt(abar) x0 + sqrt(1 - abar) eps, with abar reshaped to (b, 1, ..., 1) one number per example.",
)
BOOK = "forward#closed-form"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 3), (2, 2), (7, 1, 3, 5)):
        x0, eps = torch.randn(2, *shape, generator=rng)
        yield x0, eps, torch.rand(shape[0], generator=rng)


def q_sample(x0, eps, abar):
    """x_t for one alpha-bar per example. x0, eps: (b, *d). abar: (b,). Returns (b, *d)."""
    abar = abar.view(-1, *[1] * (x0.ndim - 1))
    return abar.sqrt() * x0 + (1 - abar).sqrt() * eps


def roots_missing(x0, eps, abar):
    """You scale by alpha-bar itself. It is a share of the variance: amplitudes are its square roots."""
    abar = abar.view(-1, *[1] * (x0.ndim - 1))
    return abar * x0 + (1 - abar) * eps


def swapped(x0, eps, abar):
    """The two coefficients are swapped: at t = 0, where alpha-bar is 1, x_t must be the data."""
    return q_sample(eps, x0, abar)


def noise_root_missing(x0, eps, abar):
    """The noise is scaled by 1 - alpha-bar: its root is missing, so the variance of x_t is not kept."""
    abar = abar.view(-1, *[1] * (x0.ndim - 1))
    return abar.sqrt() * x0 + (1 - abar) * eps


def along_the_wrong_axis(x0, eps, abar):
    """abar is broadcast along the last axis, not the batch: give it the shape (b, 1, ..., 1)."""
    return abar.sqrt() * x0 + (1 - abar).sqrt() * eps
