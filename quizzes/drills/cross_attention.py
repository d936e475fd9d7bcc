"""Pixels ask, words answer."""

import torch

HINTS = (
    "Every pixel gets one weight for each word, and the weights of a pixel sum to 1.",
    "q k^T has one row per pixel and one column per word. Divide by sqrt(d), soften along the words.",
    "(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v, and nothing else.",
)
BOOK = "conditioning#cross-attention"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, n, length, d, out in ((2, 11, 5, 3, 7), (3, 13, 7, 11, 5)):
        q, k = torch.randn(b, n, d, generator=rng), torch.randn(b, length, d, generator=rng)
        yield 2 * q, k, torch.randn(b, length, out, generator=rng)


def cross_attention(q, k, v):
    """What each pixel hears: (b, pixels, e). q: (b, pixels, d). k: (b, words, d). v: (b, words, e)."""
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v


def over_pixels(q, k, v):
    """The softmax runs over pixels. A pixel shares its attention among the words, so it runs over these."""
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-2) @ v


def not_divided(q, k, v):
    """sqrt(d) is missing: the products grow with d, and the softmax hardens to one word."""
    return (q @ k.transpose(-1, -2)).softmax(-1) @ v


def divided_by_d(q, k, v):
    """You divide by d. A sum of d products has deviation sqrt(d)."""
    return (q @ k.transpose(-1, -2) / q.shape[-1]).softmax(-1) @ v


def no_softmax(q, k, v):
    """The softmax is missing: the weights of a pixel must be positive and sum to 1."""
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5) @ v


def size_of_words(q, k, v):
    """The root is of the number of words. It belongs to d, the length of a query."""
    return (q @ k.transpose(-1, -2) / k.shape[1] ** 0.5).softmax(-1) @ v
