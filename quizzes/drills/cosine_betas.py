"""The cosine table, clipped."""

import math

import torch

HINTS = (
    "alpha-bar at i / T is a squared cosine over its value at 0; a beta compares two neighbours.",
    "beta_i = 1 - abar_i / abar_{i-1}. Only the last one is so near 1 that it must be held below.",
    "t = torch.linspace(0, 1, T + 1), abar = cos((t + offset) / (1 + offset) pi / 2)^2, clamp(max=clip).",
)
BOOK = "forward#three-tables"


def cases():
    return (7, 0.008, 0.999), (31, 0.008, 0.9), (13, 0.1, 0.5)


def cosine_betas(T, offset, clip):
    """beta_1 .. beta_T of alpha_bar(t) = f(t) / f(0), f(t) = cos^2((t + offset) / (1 + offset) pi / 2)
    at t = i / T, none above clip   (iDDPM eq. 17). Returns (T,)."""
    t = torch.linspace(0, 1, T + 1)
    f = torch.cos((t + offset) / (1 + offset) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=clip)


def cosine_not_squared(T, offset, clip):
    """The cosine is not squared. It is the amplitude a; alpha-bar, which the betas multiply up to, is a^2."""
    t = torch.linspace(0, 1, T + 1)
    f = torch.cos((t + offset) / (1 + offset) * math.pi / 2)
    return (1 - f[1:] / f[:-1]).clamp(max=clip)


def offset_missing(T, offset, clip):
    """The offset is missing: the first betas come out much too small."""
    return cosine_betas(T, 0.0, clip)


def not_clipped(T, offset, clip):
    """Nothing is clipped: the last beta is 1, where a step back divides by zero."""
    return cosine_betas(T, offset, 1.0)


def alpha_not_beta(T, offset, clip):
    """You return alpha = 1 - beta, the share of the variance that a step keeps."""
    return 1 - cosine_betas(T, offset, clip)


def one_entry_short(T, offset, clip):
    """The grid has T points where it needs T + 1: T betas compare T + 1 levels, from 0 to T."""
    return cosine_betas(T - 1, offset, clip)
