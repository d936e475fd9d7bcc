"""The moving average of the weights."""

import torch

HINTS = (
    "The average moves a little towards the new weights at every step, and keeps the larger share of itself.",
    "At step n the old average keeps min(decay, (1 + n) / (10 + n)): early on the start is soon forgotten.",
    "keep * average + (1 - keep) * weights.",
)
BOOK = "objective#ema"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, decay in ((1, 0.999), (3, 0.9), (70, 0.99), (90_000, 0.999)):
        average, weights = torch.randn(2, 5, 3, generator=rng)
        yield average, weights, decay, n


def ema_weights(average, weights, decay, n):
    """The new average at step n, with a warm-up: the share kept is (1 + n) / (10 + n) until that
    exceeds decay. average, weights: tensors of one shape. decay, n: numbers."""
    keep = min(decay, (1 + n) / (10 + n))
    return keep * average + (1 - keep) * weights


def shares_swapped(average, weights, decay, n):
    """The two shares are swapped: the average follows every jitter of the weights, and averages nothing."""
    return ema_weights(weights, average, decay, n)


def no_warm_up(average, weights, decay, n):
    """There is no warm-up: with decay 0.999 the random first weights still weigh 37 % after 1000 steps."""
    return decay * average + (1 - decay) * weights


def always_warming(average, weights, decay, n):
    """decay is not used: (1 + n) / (10 + n) goes on to 1, and the average hardly moves any more."""
    keep = (1 + n) / (10 + n)
    return keep * average + (1 - keep) * weights


def the_larger(average, weights, decay, n):
    """You keep the larger of the two shares: the warm-up never acts. The smaller one should count."""
    keep = max(decay, (1 + n) / (10 + n))
    return keep * average + (1 - keep) * weights
