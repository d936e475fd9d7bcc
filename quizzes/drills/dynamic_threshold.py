"""Bring guided pixels back into their range."""

import torch

HINTS = (
    "How far out is each image? Take a percentile of |x_0|, one number per image.",
    "An image that is inside [-1, 1] stays as it is: s is never below 1.",
    "s = x0.abs().flatten(1).quantile(percentile, dim=1).clamp(min=1); clamp to [-s, s] and divide by s.",
)
BOOK = "guidance#burnt-images"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, percentile in (((5, 31), 0.9), ((3, 1, 5, 7), 0.995), ((2, 3, 5), 0.8)):
        size = torch.linspace(0.2, 3, shape[0]).view(-1, *[1] * (len(shape) - 1))
        yield size * torch.randn(shape, generator=rng) - size / 2, percentile


def dynamic_threshold(x0, percentile):
    """Imagen's rule on predicted images, data in [-1, 1]. x0: (b, *d). Returns (b, *d) within [-1, 1]."""
    s = x0.abs().flatten(1).quantile(percentile, dim=1).clamp(min=1)
    s = s.view(-1, *[1] * (x0.ndim - 1))
    return x0.clamp(-s, s) / s


def one_for_the_batch(x0, percentile):
    """One percentile for the whole batch: no image should fade because its neighbour burns."""
    s = x0.abs().quantile(percentile).clamp(min=1)
    return x0.clamp(-s, s) / s


def always_divided(x0, percentile):
    """Images inside [-1, 1] are stretched: s may not fall below 1, so that they stay as they are."""
    s = x0.abs().flatten(1).quantile(percentile, dim=1).view(-1, *[1] * (x0.ndim - 1))
    return x0.clamp(-s, s) / s


def not_divided(x0, percentile):
    """Clamped to [-s, s] but not divided by s: the image still leaves [-1, 1]."""
    s = x0.abs().flatten(1).quantile(percentile, dim=1).clamp(min=1).view(-1, *[1] * (x0.ndim - 1))
    return x0.clamp(-s, s)


def static_clip(x0, percentile):
    """That is static clipping to [-1, 1]: it keeps the range and piles the pixels up at its ends."""
    return x0.clamp(-1, 1)


def sign_kept(x0, percentile):
    """The percentile is of x_0, not of |x_0|: dark pixels that leave the range go unseen."""
    s = x0.flatten(1).quantile(percentile, dim=1).clamp(min=1).view(-1, *[1] * (x0.ndim - 1))
    return x0.clamp(-s, s) / s
