"""Shift the times."""

import torch

HINTS = (
    "On the straight path sigma / a is t / (1 - t). The shift multiplies that by kappa.",
    "Solve t' / (1 - t') = kappa t / (1 - t) for t'.",
    "kappa t / (1 + (kappa - 1) t).",
)
BOOK = "forward#shift"


def cases():
    for kappa in (3.0, 0.5, 1.7):
        yield torch.tensor([0.0, 0.1, 0.25, 0.5, 0.9, 1.0, 0.7]), kappa


def shift_time(t, kappa):
    """The time t' of the straight path (a = 1 - t, sigma = t) at which sigma / a is kappa times what it
    is at t. t: (n,), 0 data and 1 noise. Returns (n,)."""
    return kappa * t / (1 + (kappa - 1) * t)


def time_multiplied(t, kappa):
    """You multiply the time by kappa. It is the ratio sigma / a that is multiplied; times stay in [0, 1]."""
    return kappa * t


def other_way(t, kappa):
    """You shift towards the data: at kappa above 1 the times should move to the noise."""
    return t / (kappa - (kappa - 1) * t)


def power(t, kappa):
    """A power of t leaves both ends alone, but it does not shift log SNR by one constant everywhere."""
    return t ** (1 / kappa)


def of_the_snr(t, kappa):
    """You divide the SNR by kappa. The SNR is a ratio of squares: multiply sigma / a itself by kappa."""
    return shift_time(t, kappa**0.5)
