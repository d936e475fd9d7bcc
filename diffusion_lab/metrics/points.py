"""Distances between two sets of points in the plane."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def sliced_wasserstein(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], directions: int = 128) -> float:
    """sqrt of the mean, over directions, of the squared 2-Wasserstein distance between projections
    (Bonneel et al. 2015, eq. 8). In one dimension the optimal pairing is the sorted one."""
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(
            f"points of shapes {tuple(x.shape)} and {tuple(y.shape)}: give two sets of one shape (n, d)."
        )
    if x.shape[1] != 2:
        raise ValueError(f"points in {x.shape[1]} dimensions: the directions here are those of the plane.")
    angle = (torch.arange(directions, dtype=torch.float64) + 0.5) * (math.pi / directions)
    axes = torch.stack([angle.cos(), angle.sin()])
    gaps = [(z.double() @ axes).sort(0).values for z in (x, y)]
    return (gaps[0] - gaps[1]).square().mean().sqrt().item()
