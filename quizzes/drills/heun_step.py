"""One step of Heun's method."""

import torch

HINTS = (
    "The slope changes over the step: try the end, ask for the slope there, and use the mean of the two.",
    "First u_end = u + (k_s - k_t) eps(u, k_t), which is a DDIM step.",
    "u + (k_s - k_t) * (eps(u, k_t) + eps(u_end, k_s)) / 2.",
)
BOOK = "samplers#edm"


def cases():
    def eps(u, k):
        return u * k / (1 + k**2) + torch.sin(u)

    rng = torch.Generator().manual_seed(0)
    for k_t, k_s in ((3.0, 1.0), (0.5, 0.2), (80.0, 71.0)):
        yield eps, torch.randn(5, 3, generator=rng), k_t, k_s


def heun_step(eps, u, k_t, k_s):
    """u at k_s from u at k_t, for du / dk = eps(u, k): the mean of the slopes at both ends   (EDM alg. 1).
    eps: (u, k) -> slope, shaped like u. u: (b, *d). k_t > k_s > 0: numbers."""
    slope = eps(u, k_t)
    end = u + (k_s - k_t) * slope
    return u + (k_s - k_t) * (slope + eps(end, k_s)) / 2


def one_slope(eps, u, k_t, k_s):
    """That is Euler's step, which is DDIM: the slope at the end is missing."""
    return u + (k_s - k_t) * eps(u, k_t)


def end_slope_alone(eps, u, k_t, k_s):
    """You use the slope at the end alone: its error is as large as before, with the other sign."""
    return u + (k_s - k_t) * eps(u + (k_s - k_t) * eps(u, k_t), k_s)


def both_slopes_added(eps, u, k_t, k_s):
    """The slopes are added, not averaged: the step is twice as long as it should be."""
    return u + (k_s - k_t) * (eps(u, k_t) + eps(u + (k_s - k_t) * eps(u, k_t), k_s))


def slope_at_the_old_point(eps, u, k_t, k_s):
    """The second slope is taken at the old u: evaluate it where the first step has led."""
    return u + (k_s - k_t) * (eps(u, k_t) + eps(u, k_s)) / 2


def from_the_end(eps, u, k_t, k_s):
    """You go on from the trial point: it only served to find a slope. Start the real step from u."""
    end = u + (k_s - k_t) * eps(u, k_t)
    return end + (k_s - k_t) * (eps(u, k_t) + eps(end, k_s)) / 2
