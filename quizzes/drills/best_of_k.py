"""minADE and minFDE of several forecasts of one future."""

from functools import partial

import torch

HINTS = (
    "First one distance per scene, forecast and time; only then means and minima.",
    "Over the times: the mean (ADE) or the last value (FDE). Then the minimum over a scene's k forecasts.",
    "With gap = (forecasts - truth[:, None]).norm(dim=-1): gap.mean(-1).amin(1).mean(); then gap[..., -1].",
)
BOOK = "modalities#trajectories"


# Two floats are compared to more digits than float32 has.
_randn = partial(torch.randn, dtype=torch.float64)


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, k, t in ((5, 3, 7), (11, 2, 3), (3, 7, 2)):
        yield _randn(n, k, t, 2, generator=rng), _randn(n, t, 2, generator=rng)


def best_of_k(forecasts, truth):
    """(minADE, minFDE): the mean over the times, and the last, of the distance of each scene's best forecast,
    each with its own best; averaged over scenes. forecasts: (n, k, t, 2). truth: (n, t, 2). Two floats."""
    gap = (forecasts - truth[:, None]).norm(dim=-1)
    return gap.mean(-1).amin(1).mean().item(), gap[..., -1].amin(1).mean().item()


def mean_over_forecasts(forecasts, truth):
    """You average over the k forecasts. That is the mean ADE, which is least for a model of the mean."""
    gap = (forecasts - truth[:, None]).norm(dim=-1)
    return gap.mean().item(), gap[..., -1].mean().item()


def best_at_every_time(forecasts, truth):
    """You take the best forecast anew at every time: the winner is then patched together from several."""
    gap = (forecasts - truth[:, None]).norm(dim=-1).amin(1)
    return gap.mean().item(), gap[..., -1].mean().item()


def one_winner(forecasts, truth):
    """You take the last distance of the forecast that is best in ADE. minFDE has a best of its own."""
    gap = (forecasts - truth[:, None]).norm(dim=-1)
    best = gap.mean(-1).argmin(1)
    rows = torch.arange(len(gap))
    return gap[rows, best].mean().item(), gap[rows, best, -1].mean().item()


def one_index_for_all_scenes(forecasts, truth):
    """You average over scenes first and choose one index for all: each scene has its own best forecast."""
    gap = (forecasts - truth[:, None]).norm(dim=-1).mean(0)
    return gap.mean(-1).min().item(), gap[..., -1].min().item()


def by_coordinate(forecasts, truth):
    """You average |x| and |y| errors. A distance is the root of the sum of their squares."""
    gap = (forecasts - truth[:, None]).abs().mean(-1)
    return gap.mean(-1).amin(1).mean().item(), gap[..., -1].amin(1).mean().item()


def as_tensors(forecasts, truth):
    """The values are right and you return tensors: two plain numbers are asked for, so end with .item()."""
    return tuple(torch.tensor(value, dtype=forecasts.dtype) for value in best_of_k(forecasts, truth))
