"""Guidance on tokens."""

import torch

HINTS = (
    "The same extrapolation as for noise, applied to log-probabilities.",
    "null + w (cond - null): w = 1 must give cond, w = 0 null. Then see whether it sums to 1.",
    "(null + w * (cond - null)).log_softmax(-1).",
)
BOOK = "guidance#the-rule"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, l, v, w in ((5, 3, 7, 2.5), (2, 2, 5, 1.0), (3, 11, 2, 0.5)):
        null, cond = torch.randn(2, b, l, v, generator=rng).log_softmax(-1)
        yield null, cond, w


def guided_logits(null, cond, w):
    """Guided log-probabilities, p_null^(1 - w) p_cond^w normalised; w = 1 is off   (Schiff et al. 2024).
    null, cond: log-probabilities (b, l, v). w: a number. Returns (b, l, v)."""
    return (null + w * (cond - null)).log_softmax(-1)


def not_normalised(null, cond, w):
    """What comes out does not sum to 1: take log_softmax over the vocabulary."""
    return null + w * (cond - null)


def other_convention(null, cond, w):
    """That is (1 + w) cond - w null, where w = 0 is off. Here w = 1 is."""
    return guided_logits(null, cond, 1 + w)


def on_probabilities(null, cond, w):
    """You extrapolate probabilities: they may fall below 0. Extrapolate their logarithms."""
    return (null.exp() + w * (cond.exp() - null.exp())).clamp(min=1e-9).log().log_softmax(-1)


def over_the_places(null, cond, w):
    """You normalise over the places of the text: for each place the vocabulary must sum to 1."""
    return (null + w * (cond - null)).log_softmax(-2)


def scaled_only(null, cond, w):
    """That is cond to the power w, a temperature: what the condition does not change must not count."""
    return (w * cond).log_softmax(-1)
