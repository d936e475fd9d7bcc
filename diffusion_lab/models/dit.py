"""DiT: a transformer on patches, conditioned by adaLN-Zero   (Peebles & Xie 2023, arXiv 2212.09748)."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .layers import Embedding, SelfAttention, check_input, modulate, zero

SIZES = {
    "S": {"width": 384, "depth": 12, "heads": 6},
    "B": {"width": 768, "depth": 12, "heads": 12},
    "L": {"width": 1024, "depth": 24, "heads": 16},
    "XL": {"width": 1152, "depth": 28, "heads": 16},
}
"""The paper's models (table 1): DiT(32, 4, 8, patch=2, n_classes=1000, **SIZES["XL"]) is DiT-XL/2."""


class DiT(nn.Module):
    """(x_t, t, class) -> an image of the same size; 0 everywhere before training.

    size: side of the square image. in_channels, out_channels: twice as many out for a learned variance.
    patch: side of a patch, which is one token. width, depth, heads: of the transformer.
    n_classes: labels 0 .. n_classes - 1, and n_classes for "no condition"; 0 for a network without classes.
    """

    positions: Tensor

    def __init__(
        self,
        size: int,
        in_channels: int = 1,
        out_channels: int | None = None,
        *,
        patch: int = 2,
        width: int = 128,
        depth: int = 6,
        heads: int = 4,
        n_classes: int = 0,
    ):
        super().__init__()
        if size % patch:
            raise ValueError(
                f"patches of {patch} do not tile an image of {size}: choose a divisor of {size}."
            )
        self.size, self.in_channels, self.patch = size, in_channels, patch
        self.embedding: nn.Module = Embedding(256, width, n_classes)
        self.patchify = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.register_buffer("positions", position_features(size // patch, width), persistent=False)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.film = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, patch**2 * (out_channels or in_channels))
        self.initialise()

    def initialise(self) -> None:
        """Xavier for every matrix, small embeddings, and 0 where a block or the network must start silent."""
        for name, p in self.named_parameters():
            if p.ndim == 1:
                nn.init.zeros_(p)
            elif name.startswith("embedding."):
                nn.init.normal_(p, std=0.02)
            else:
                nn.init.xavier_uniform_(p.flatten(1))  # the convolution on patches is a matrix
        zero(self.film)
        zero(self.out)
        for module in self.modules():
            if isinstance(module, Block):
                zero(module.adaln)

    def forward(
        self, x: Float[Tensor, "b c h w"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b c_out h w"]:
        """Refuses shapes, labels and precisions that do not fit, in a sentence."""
        check_input(x, t, (self.in_channels, self.size, self.size), self.patchify.weight)
        c = self.embedding(t, cond)
        h = self.patchify(x).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.film(c)[:, None].chunk(2, -1)
        return self.unpatchify(self.out(modulate(self.norm(h), scale, shift)))

    def unpatchify(self, y: Float[Tensor, "b n k"]) -> Float[Tensor, "b c h w"]:
        """Token (i, j) holds the patch at (i, j) of the grid, as (row, column, channel)."""
        grid = self.size // self.patch
        y = y.unflatten(2, (self.patch, self.patch, -1)).unflatten(1, (grid, grid))
        return y.permute(0, 5, 1, 3, 2, 4).reshape(len(y), -1, self.size, self.size)


class Block(nn.Module):
    """adaLN-Zero: h + gate * f(FiLM(norm(h))) for attention, then for the MLP   (section 3.2, figure 3)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.adaln = nn.Linear(width, 6 * width)
        self.attend = SelfAttention(width, heads)
        self.lift, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h: Float[Tensor, "b n w"], c: Float[Tensor, "b w"]) -> Float[Tensor, "b n w"]:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaln(c)[:, None].chunk(6, -1)
        h = h + gate1 * self.attend(modulate(self.norm(h), scale1, shift1))
        mlp = self.project(F.gelu(self.lift(modulate(self.norm(h), scale2, shift2)), approximate="tanh"))
        return h + gate2 * mlp


def position_features(grid: int, n: int) -> Float[Tensor, "l n"]:
    """Where each of grid * grid tokens lies: n/2 sines and cosines of its column, then n/2 of its row."""
    if n % 4:
        raise ValueError(f"width {n}: sine and cosine of row and column need a multiple of 4.")
    w = torch.exp(-math.log(1e4) / (n // 4) * torch.arange(n // 4))
    angle = torch.arange(grid)[:, None] * w
    line = torch.cat([angle.sin(), angle.cos()], 1)
    column, row = line.repeat(grid, 1), line.repeat_interleave(grid, 0)
    return torch.cat([column, row], 1)
