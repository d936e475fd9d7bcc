"""Fold a low-rank addition into its weight."""

import torch

HINTS = (
    "A lifts nothing: it takes the input down to r numbers, B takes these to the output.",
    "A row vector of code is a column on paper: the product is B A, of the shape of W.",
    "w + alpha / len(a) * (b @ a): len(a) is the rank.",
)
BOOK = "conditioning#lora"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, r, alpha in ((7, 3, 6.0), (5, 2, 2.0), (11, 5, 1.0)):
        w, a, b = (torch.randn(s, generator=rng) for s in ((n, n), (r, n), (n, r)))
        yield w, a, b, alpha


def lora_weight(w, a, b, alpha):
    """The merged weight. w: (out, in). a: (r, in). b: (out, r). The addition is scaled by alpha / r."""
    return w + alpha / len(a) * (b @ a)


def not_by_the_rank(w, a, b, alpha):
    """alpha alone: divide by the rank too, or a change of r changes the size of the addition."""
    return w + alpha * (b @ a)


def turned(w, a, b, alpha):
    """That addition is transposed: the input meets A first, so the product is B A."""
    return w + alpha / len(a) * (b @ a).T


def by_the_root(w, a, b, alpha):
    """You divide by sqrt(r). That is a later variant; the paper's factor is alpha / r."""
    return w + alpha / len(a) ** 0.5 * (b @ a)


def alone(w, a, b, alpha):
    """The frozen weight is missing: the addition stands beside it, not in its place."""
    return alpha / len(a) * (b @ a)


def taken_away(w, a, b, alpha):
    """The sign: merging adds. What you wrote is how a merged LoRA is taken out."""
    return w - alpha / len(a) * (b @ a)
