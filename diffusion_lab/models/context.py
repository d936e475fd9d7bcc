"""The residual MLP of `mlp.py`, told what it sees by a vector of numbers instead of a class."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .layers import time_features
from .mlp import MLP


class ContextMLP(MLP):
    """(x_t, t, context) -> a tensor like x_t; 0 everywhere before training.

    context: how many numbers the condition (b, context) has, each of size about 1. Else as `MLP`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        context: int,
        *,
        width: int = 128,
        depth: int = 4,
        features: int = 64,
    ):
        super().__init__(shape, width=width, depth=depth, features=features)
        self.embedding = ContextEmbedding(features, width, context)  # type: ignore[assignment]


class ContextEmbedding(nn.Module):
    """(t, context) -> the vector that every block reads: SiLU(MLP(time_features(t)) + MLP(context))."""

    def __init__(self, features: int, dim: int, context: int):
        super().__init__()
        self.features, self.context = features, context
        self.lift, self.mix = nn.Linear(features, dim), nn.Linear(dim, dim)
        self.read, self.digest = nn.Linear(context, dim), nn.Linear(dim, dim)

    def forward(self, t: Float[Tensor, "b"], cond: Any = None) -> Float[Tensor, "b k"]:
        if not isinstance(cond, Tensor) or cond.shape != (len(t), self.context):
            what = f"shape {tuple(cond.shape)}" if isinstance(cond, Tensor) else repr(cond)
            raise ValueError(f"the context is {what}: this network reads ({len(t)}, {self.context}) numbers.")
        features = time_features(t, self.features).to(self.lift.weight.dtype)
        time = self.mix(F.silu(self.lift(features)))
        return F.silu(time + self.digest(F.silu(self.read(cond.to(time.dtype)))))
