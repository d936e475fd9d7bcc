"""From a log density to bits per value."""

import math

import torch

HINTS = (
    "A grey level owns a bin. On the scale from -1 to 1 with n levels its width is 2 / (n - 1).",
    "The probability of an image is about its density times the width to the power of the number of values.",
    "-log_p / (dims * math.log(2)) + math.log2((levels - 1) / 2).",
)
BOOK = "score#likelihood"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, dims, levels in ((5, 3, 256), (3, 64, 17), (2, 7, 2)):
        yield dims * torch.randn(b, generator=rng), dims, levels


def bits_from_density(log_p, dims, levels):
    """Bits per value of images with `dims` values, each one of `levels` evenly spaced in [-1, 1].
    log_p: log density in nats, (b,). Returns (b,)."""
    return -log_p / (dims * math.log(2)) + math.log2((levels - 1) / 2)


def nats_kept(log_p, dims, levels):
    """Those are nats: divide by log 2 for bits."""
    return -log_p / dims + math.log((levels - 1) / 2)


def width_forgotten(log_p, dims, levels):
    """A density is no probability: the width of a level's bin is missing."""
    return -log_p / (dims * math.log(2))


def width_turned_round(log_p, dims, levels):
    """Finer levels must cost more bits, not fewer: the sign of the width's logarithm is turned round."""
    return -log_p / (dims * math.log(2)) - math.log2((levels - 1) / 2)


def unit_interval(log_p, dims, levels):
    """That is the width for data in [0, 1]. Here they span 2."""
    return -log_p / (dims * math.log(2)) + math.log2(levels - 1)


def whole_image(log_p, dims, levels):
    """Those are bits per image: divide by the number of values."""
    return dims * bits_from_density(log_p, dims, levels)


def sign_kept(log_p, dims, levels):
    """Bits count improbability: minus the logarithm."""
    return bits_from_density(-log_p, dims, levels)
