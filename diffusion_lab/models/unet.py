"""UNet: DDPM's network with ADM's scale-shift blocks and many-headed attention.

Ho et al. 2020 (appendix B); Nichol & Dhariwal 2021 (appendix A: scale and shift); Dhariwal & Nichol 2021
(section 3). The forward pass is encode, middle, decode with the list of skips in plain sight: what adds to
the skips, or copies the encoder, needs nothing else.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .layers import Embedding, SelfAttention, check_input, modulate, zero


class UNet(nn.Module):
    """(x_t, t, class) -> an image of the same size; 0 everywhere before training.

    in_channels, out_channels: of the images; twice as many out for a learned variance.
    channels, multipliers: level i works at 1/2^i of the size with channels * multipliers[i] channels.
    blocks: residual blocks per level on the way down (one more on the way up).
    attention: levels with self-attention after each block, in `heads` heads; the middle always has it.
    groups: of every GroupNorm.
    n_classes: labels 0 .. n_classes - 1, and n_classes for "no condition"; 0 for a network without classes.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int | None = None,
        *,
        channels: int = 32,
        multipliers: Sequence[int] = (1, 2, 2),
        blocks: int = 2,
        attention: Collection[int] = (2,),
        heads: int = 4,
        groups: int = 8,
        n_classes: int = 0,
    ):
        super().__init__()
        widths = [channels * m for m in multipliers]
        if unknown := set(attention) - set(range(len(widths))):
            raise ValueError(f"attention at levels {sorted(unknown)}: the levels are 0 to {len(widths) - 1}.")
        if bad := [n for n in widths if n % groups]:
            raise ValueError(f"{bad[0]} channels cannot be split into {groups} groups: choose a divisor.")
        self.in_channels, self.factor = in_channels, 2 ** (len(widths) - 1)
        self.embedding: nn.Module = Embedding(channels, 4 * channels, n_classes)

        def block(n_in: int, n_out: int, attends: bool) -> Block:
            return Block(n_in, n_out, 4 * channels, groups, heads if attends else 0)

        n, skips = channels, [channels]  # channels now, and of every skip so far
        self.stem = nn.Conv2d(in_channels, n, 3, padding=1)
        self.encoder = nn.ModuleList()
        for level, width in enumerate(widths):
            if level > 0:
                self.encoder.append(Down(n))
                skips.append(n)
            for _ in range(blocks):
                self.encoder.append(block(n, width, level in attention))
                skips.append(n := width)
        self.middle = nn.ModuleList([block(n, n, True), block(n, n, False)])
        self.decoder, self.resize = nn.ModuleList(), nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for i in range(blocks + 1):
                self.decoder.append(block(n + skips.pop(), width, level in attention))
                n = width
                self.resize.append(Up(n) if level > 0 and i == blocks else nn.Identity())
        self.norm = nn.GroupNorm(groups, n)
        self.out = zero(nn.Conv2d(n, out_channels or in_channels, 3, padding=1))

    def forward(
        self, x: Float[Tensor, "b c h w"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b c_out h w"]:
        """Refuses channels, sizes and precisions that do not fit, in a sentence."""
        check_input(x, t, (self.in_channels, None, None), self.stem.weight)
        if x.shape[2] % self.factor or x.shape[3] % self.factor:
            raise ValueError(
                f"the image is {x.shape[2]} x {x.shape[3]}: both sides must be multiples of {self.factor}, "
                "for every level but the first halves them; pad or resize it."
            )
        c = self.embedding(t, cond)
        skips = self.encode(x, c)
        h = skips[-1]
        for block in self.middle:
            h = block(h, c)
        return self.decode(h, skips, c)

    def encode(self, x: Float[Tensor, "b c h w"], c: Any) -> list[Tensor]:
        """Every feature map on the way down, finest first. c is what the embedding says, a vector here."""
        skips = [self.stem(x)]
        for layer in self.encoder:
            skips.append(layer(skips[-1], c))
        return skips

    def decode(
        self, h: Float[Tensor, "b c h w"], skips: Sequence[Tensor], c: Any
    ) -> Float[Tensor, "b c_out h2 w2"]:
        """The way up: each block reads h beside the skip of its size, coarsest first."""
        for block, resize, skip in zip(self.decoder, self.resize, reversed(skips), strict=True):
            h = resize(block(torch.cat([h, skip], 1), c))
        return self.out(F.silu(self.norm(h)))


class Block(nn.Module):
    """h + conv(act(FiLM(norm(conv(act(norm(h))))))), then self-attention where `heads` > 0."""

    def __init__(self, n_in: int, n_out: int, n_emb: int, groups: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, n_in), nn.GroupNorm(groups, n_out)
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.film = nn.Linear(n_emb, 2 * n_out)
        self.conv2 = zero(nn.Conv2d(n_out, n_out, 3, padding=1))
        self.skip = nn.Conv2d(n_in, n_out, 1) if n_in != n_out else nn.Identity()
        self.attention = ImageAttention(n_out, groups, heads) if heads else nn.Identity()

    def forward(self, x: Float[Tensor, "b c h w"], c: Float[Tensor, "b k"]) -> Float[Tensor, "b c2 h w"]:
        scale, shift = self.film(c)[:, :, None, None].chunk(2, 1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(modulate(self.norm2(h), scale, shift)))
        return self.attention(self.skip(x) + h)


class ImageAttention(nn.Module):
    """h + SelfAttention(norm(h)) over the pixels."""

    def __init__(self, n: int, groups: int, heads: int):
        super().__init__()
        self.norm, self.attend = nn.GroupNorm(groups, n), SelfAttention(n, heads)
        zero(self.attend.out)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attend(tokens).transpose(1, 2).unflatten(2, x.shape[2:])


class Down(nn.Module):
    """Half the size, by a strided convolution."""

    def __init__(self, n: int):
        super().__init__()
        self.conv = nn.Conv2d(n, n, 3, stride=2, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"], c: Tensor) -> Float[Tensor, "b c h2 w2"]:
        return self.conv(x)


class Up(nn.Module):
    """Twice the size: nearest neighbour, then a convolution."""

    def __init__(self, n: int):
        super().__init__()
        self.conv = nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        return self.conv(F.interpolate(x, scale_factor=2.0))
