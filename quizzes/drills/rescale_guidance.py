"""Give a guided prediction its contrast back."""

import torch

HINTS = (
    "Guidance widens the spread of an example's values. One of the two predictions still has the right one.",
    "The ratio is std(conditional) / std(guided), over all values of an example: one number for each.",
    "guided * (phi * ratio + 1 - phi): phi = 1 restores the spread, phi = 0 changes nothing.",
)
BOOK = "guidance#burnt-images"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, phi in (((5, 3), 0.7), ((3, 2, 5, 7), 0.3), ((2, 3, 5), 1.0)):
        size = torch.linspace(0.5, 2, shape[0]).view(-1, *[1] * (len(shape) - 1))
        cond, null = size * torch.randn(shape, generator=rng), torch.randn(shape, generator=rng)
        yield cond, null + 5 * (cond - null), phi


def rescale_guidance(cond, guided, phi):
    """`guided` with its deviation per example pulled to that of `cond` by phi. All (b, *d)."""
    dims = tuple(range(1, cond.ndim))
    ratio = cond.std(dims, keepdim=True) / guided.std(dims, keepdim=True)
    return guided * (phi * ratio + 1 - phi)


def one_for_the_batch(cond, guided, phi):
    """One deviation for the whole batch: each example has its own, so reduce over all axes but the first."""
    return guided * (phi * cond.std() / guided.std() + 1 - phi)


def ratio_turned_round(cond, guided, phi):
    """The ratio is turned round: the guided values are too wide already, and this widens them more."""
    dims = tuple(range(1, cond.ndim))
    ratio = guided.std(dims, keepdim=True) / cond.std(dims, keepdim=True)
    return guided * (phi * ratio + 1 - phi)


def phi_turned_round(cond, guided, phi):
    """phi is the share of the rescaled prediction: phi = 0 leaves the guided one alone."""
    return rescale_guidance(cond, guided, 1 - phi)


def phi_ignored(cond, guided, phi):
    """phi does not enter: this restores the full deviation, which is the case phi = 1."""
    return rescale_guidance(cond, guided, 1.0)


def along_the_last_axis(cond, guided, phi):
    """The deviation is taken along the last axis only: an example's values lie on all axes but the first."""
    ratio = cond.std(-1, keepdim=True) / guided.std(-1, keepdim=True)
    return guided * (phi * ratio + 1 - phi)
