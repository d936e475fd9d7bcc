"""The residual MLP of `mlp.py` with two times: where x is, and where it is to go."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .mlp import MLP


class FlowMapMLP(MLP):
    """(x_t, t, s) -> a tensor like x_t; 0 everywhere before training. waves: cosines of each time. Else as
    `MLP`."""

    def __init__(self, shape: Sequence[int] = (2,), *, width: int = 128, depth: int = 4, waves: int = 8):
        super().__init__(shape, width=width, depth=depth)
        self.embedding = TwoTimes(waves, width)  # type: ignore[assignment]


class TwoTimes(nn.Module):
    """(t, s) -> the vector that every block reads, from slow waves of t and t - s.

    The training of flow maps differentiates the network in t, and the fast waves of `layers.time_features`
    have slopes in the hundreds (the same remedy as in Lu & Song 2024, arXiv 2410.11081).
    """

    def __init__(self, waves: int, dim: int):
        super().__init__()
        self.waves = waves
        self.lift, self.mix = nn.Linear(4 * waves + 2, dim), nn.Linear(dim, dim)

    def forward(self, t: Float[Tensor, "b"], s: Float[Tensor, "b"]) -> Float[Tensor, "b k"]:
        both = torch.stack([t, t - s], 1)
        angle = both[:, :, None] * (math.pi / 2 * torch.arange(1, self.waves + 1).to(both))
        waves = torch.cat([both, angle.cos().flatten(1), angle.sin().flatten(1)], 1)
        return F.silu(self.mix(F.silu(self.lift(waves))))
