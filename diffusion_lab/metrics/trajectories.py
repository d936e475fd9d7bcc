"""How good several forecasts of one future are: distances of the best one, and whether all futures are there.

Forecasts have shape (n, k, t, 2): n scenes, k samples of each, t positions. Distances are in the positions'
unit. minADE and minFDE grow better with k by construction: a number without its k means nothing, and neither
sees a mode that nobody happened to take. Mode coverage does.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

MISS = 2.0
"""Metres at the last position beyond which a forecast has missed   (Argoverse: Chang et al. 2019)."""


class Distances(NamedTuple):
    """Of the best of k forecasts, averaged over scenes; the share of scenes where all k missed; and the mean
    over all forecasts, which a model can only lower by being right every time."""

    min_ade: float
    min_fde: float
    miss_rate: float
    mean_ade: float


def distances(
    forecasts: Float[Tensor, "n k t 2"], truth: Float[Tensor, "n t 2"], miss: float = MISS
) -> Distances:
    """minADE: the smallest mean distance over the positions; minFDE: the smallest at the last one (each with
    its own best forecast); miss rate: how often the latter is above `miss`."""
    checked(forecasts, truth[:, None])
    gap = (forecasts - truth[:, None]).norm(dim=-1)
    ade, last = gap.mean(-1), gap[..., -1].amin(1)
    missed = (last > miss).to(gap)
    return Distances(*[x.mean().item() for x in (ade.amin(1), last, missed, ade)])


def mode_coverage(
    forecasts: Float[Tensor, "n k t 2"], modes: Float[Tensor, "n m t 2"], radius: float = MISS
) -> float:
    """The share of modes that some forecast follows: its mean distance to the mode is at most `radius`."""
    checked(forecasts, modes)
    gap = (forecasts[:, :, None] - modes[:, None]).norm(dim=-1).mean(-1)
    return (gap.amin(1) <= radius).to(gap).mean().item()


def mode_shares(forecasts: Float[Tensor, "n k t 2"], modes: Float[Tensor, "n m t 2"]) -> Float[Tensor, "m"]:
    """How often each mode is the nearest one."""
    checked(forecasts, modes)
    nearest = (forecasts[:, :, None] - modes[:, None]).norm(dim=-1).mean(-1).argmin(2)
    return torch.bincount(nearest.flatten(), minlength=modes.shape[1]) / nearest.numel()


def checked(forecasts: Tensor, other: Tensor) -> None:
    """Forecasts and what they are compared with belong to the same scenes and times, and are finite."""
    if forecasts.shape[0] != other.shape[0] or forecasts.shape[2:] != other.shape[2:]:
        raise ValueError(
            f"forecasts of shape {tuple(forecasts.shape)} against {tuple(other.shape)}: scenes (first), "
            "times and coordinates (last two) must agree."
        )
    if 0 in forecasts.shape or 0 in other.shape:
        raise ValueError("there is nothing to compare: give at least one scene, forecast and position.")
    if not (forecasts.isfinite().all() and other.isfinite().all()):
        raise ValueError("some positions are not finite: look at the forecasts first.")
