"""Condition dropout, for guidance later."""

import torch

HINTS = (
    "Every example throws its own coin; those that lose get the label for 'no condition'.",
    "u is uniform: u < share happens with probability share.",
    "torch.where(u < share, null, labels), with u of shape (b, 1) where a label is a row of tokens.",
)
BOOK = "guidance#the-rule"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, share in (((11,), 0.3), ((7, 3), 0.4), ((5, 5), 0.5)):
        labels = torch.randint(1, 10, shape, generator=rng)
        yield labels, torch.rand(shape[0], generator=rng), share, 10


def drop_labels(labels, u, share, null):
    """Labels of which a share became null, each example by its own u ~ U(0, 1).
    labels: (b,), or (b, l) where a label is a row of tokens. u: (b,)."""
    gone = (u < share).view(-1, *[1] * (labels.ndim - 1))
    return torch.where(gone, null, labels)


def kept_share(labels, u, share, null):
    """You drop where u is above share: that loses nearly all labels and keeps a few."""
    return drop_labels(labels, 1 - u, 1 - share, null)


def one_coin(labels, u, share, null):
    """One coin is thrown for the whole batch: the two kinds of example must be mixed within a batch."""
    return torch.full_like(labels, null) if u[0] < share else labels


def zero_for_null(labels, u, share, null):
    """Dropped labels become 0. That is a class of its own: use the label kept for 'no condition'."""
    return drop_labels(labels, u, share, 0)


def along_tokens(labels, u, share, null):
    """u runs along the tokens: an example loses parts of its text instead of all of it."""
    gone = (u < share).view(-1, 1) if labels.shape[-1] != len(u) else u < share
    return torch.where(gone if labels.ndim > 1 else u < share, null, labels)
