"""A residual MLP for points and trajectories: small data whose parts all bear on each other."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .layers import Embedding, check_input, modulate, zero


class MLP(nn.Module):
    """(x_t, t, class) -> a tensor like x_t; 0 everywhere before training.

    shape: of one example: (2,) for a point, (steps, 2) for a trajectory.
    width, depth: hidden units and residual blocks.
    features: cosines and sines of the time.
    n_classes: labels 0 .. n_classes - 1, and n_classes for "no condition"; 0 for a network without classes.

    The input is read at the scale it comes in: `UnitInput` of the denoisers brings it to unit variance.
    """

    def __init__(
        self,
        shape: Sequence[int] = (2,),
        *,
        width: int = 128,
        depth: int = 4,
        features: int = 64,
        n_classes: int = 0,
    ):
        super().__init__()
        self.shape = tuple(shape)
        self.embedding = Embedding(features, width, n_classes)
        self.stem = nn.Linear(prod(self.shape), width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out = zero(nn.Linear(width, prod(self.shape)))

    def forward(
        self, x: Float[Tensor, "b *d"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b *d"]:
        """Refuses shapes, labels and precisions that do not fit, in a sentence."""
        check_input(x, t, self.shape, self.stem.weight)
        c = self.embedding(t, cond)
        h = self.stem(x.flatten(1))
        for block in self.blocks:
            h = block(h, c)
        return self.out(F.silu(self.norm(h))).reshape(x.shape)


class Block(nn.Module):
    """h + W2 SiLU(W1 FiLM(norm(h)))   (pre-norm residual block; adaLN of Peebles & Xie 2023, section 3.2)."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.film = nn.Linear(width, 2 * width)
        self.lift, self.project = nn.Linear(width, 2 * width), zero(nn.Linear(2 * width, width))

    def forward(self, h: Float[Tensor, "b w"], c: Float[Tensor, "b w"]) -> Float[Tensor, "b w"]:
        scale, shift = self.film(c).chunk(2, 1)
        return h + self.project(F.silu(self.lift(modulate(self.norm(h), scale, shift))))
