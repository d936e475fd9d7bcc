"""Captions into networks, by the three ways in use: cross-attention, adaLN and joint attention.

`ReadingUNet` looks at single words where it attends (latent diffusion: Rombach et al. 2022, section 3.3).
`PooledUNet` and `PooledDiT` get one vector per caption, through the modulation that already carries t.
`MMDiT` runs one attention over words and patches together (Stable Diffusion 3: Esser et al. 2024, section 4).

A caption is a row of word numbers, filled up with 0; a caption of zeros is "no caption", and so is None.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from .dit import DiT
from .layers import SelfAttention, time_features, zero
from .unet import Block, UNet


class TextEncoder(nn.Module):
    """Word numbers (b, l) -> one vector per word (b, l, k): embeddings, places and one transformer block.

    The filling word is a word like any other and is attended to, so "no caption" needs no special case.
    """

    def __init__(self, words: int, length: int, dim: int, heads: int = 4):
        super().__init__()
        self.length = length
        self.words, self.places = nn.Embedding(words, dim), nn.Parameter(0.02 * torch.randn(length, dim))
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attend = SelfAttention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.norm = nn.LayerNorm(dim)

    def forward(self, words: Int[Tensor, "b l"]) -> Float[Tensor, "b l k"]:
        h = self.words(words) + self.places
        h = h + self.attend(self.norm1(h))
        return self.norm(h + self.mlp(self.norm2(h)))

    def read(self, cond: Any, like: Float[Tensor, "b"]) -> Float[Tensor, "b l k"]:
        """The vectors of a batch of captions; None is no caption for all."""
        if cond is None:
            cond = torch.zeros(len(like), self.length, dtype=torch.long, device=like.device)
        fits = isinstance(cond, Tensor) and cond.shape == (len(like), self.length)
        if not fits or cond.is_floating_point():
            what = f"{cond.dtype} of shape {tuple(cond.shape)}" if isinstance(cond, Tensor) else repr(cond)
            raise ValueError(
                f"captions are {what}: give word numbers, integers of shape ({len(like)}, {self.length})."
            )
        return self(cond)


class Reading(NamedTuple):
    """What blocks are told: the vector of time and caption, and the words one by one."""

    vector: Float[Tensor, "b k"]
    words: Float[Tensor, "b l k"]


class CaptionEmbedding(nn.Module):
    """(t, captions) -> `Reading`: SiLU(MLP(time_features(t)) + mean of the words), and the words."""

    def __init__(self, features: int, dim: int, words: int, length: int):
        super().__init__()
        self.features, self.text = features, TextEncoder(words, length, dim)
        self.lift, self.mix = nn.Linear(features, dim), nn.Linear(dim, dim)

    def forward(self, t: Float[Tensor, "b"], cond: Any = None) -> Reading:
        features = time_features(t, self.features).to(self.lift.weight.dtype)
        words = self.text.read(cond, t)
        return Reading(F.silu(self.mix(F.silu(self.lift(features))) + words.mean(1)), words)


class PooledEmbedding(nn.Module):
    """The vector alone: what adaLN and FiLM need."""

    def __init__(self, features: int, dim: int, words: int, length: int):
        super().__init__()
        self.both = CaptionEmbedding(features, dim, words, length)

    def forward(self, t: Float[Tensor, "b"], cond: Any = None) -> Float[Tensor, "b k"]:
        return self.both(t, cond).vector


class Maps(nn.Module):
    """softmax(q k^T / sqrt(d)): which word every pixel reads. A module of its own, so that a hook can watch
    the maps or put others in their place."""

    def forward(self, q: Float[Tensor, "b h n d"], k: Float[Tensor, "b h l d"]) -> Float[Tensor, "b h n l"]:
        return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)


class CrossAttention(nn.Module):
    """x + maps(q(x), k(words)) v(words) for an image x: pixels ask, words answer   (latent diffusion, section
    3.3)."""

    def __init__(self, dim: int, text: int, groups: int, heads: int):
        super().__init__()
        self.heads, self.norm, self.maps = heads, nn.GroupNorm(groups, dim), Maps()
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(text, 2 * dim)
        self.out = zero(nn.Linear(dim, dim))

    def forward(self, x: Float[Tensor, "b c h w"], words: Float[Tensor, "b l k"]) -> Float[Tensor, "b c h w"]:
        q = self.query(self.norm(x).flatten(2).transpose(1, 2)).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k, v = self.key_value(words).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        h = self.out((self.maps(q, k) @ v).transpose(1, 2).flatten(2))
        return x + h.transpose(1, 2).unflatten(2, x.shape[2:])


class ReadingBlock(nn.Module):
    """A UNet block, then cross-attention to the words."""

    def __init__(self, block: Block, text: int, groups: int, heads: int):
        super().__init__()
        self.block = block
        self.read = CrossAttention(block.conv2.out_channels, text, groups, heads)

    def forward(self, x: Float[Tensor, "b c h w"], c: Reading) -> Float[Tensor, "b c2 h w"]:
        return self.read(self.block(x, c.vector), c.words)


class Deaf(nn.Module):
    """A UNet layer that hears the vector only."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Float[Tensor, "b c h w"], c: Reading) -> Float[Tensor, "b c2 h2 w2"]:
        return self.layer(x, c.vector)


class PooledUNet(UNet):
    """A UNet whose classes are captions: one vector each, in every block's FiLM. `settings` are the
    UNet's."""

    def __init__(self, words: int, length: int, **settings: Any):
        super().__init__(**settings)
        channels = self.stem.out_channels
        self.embedding = PooledEmbedding(channels, 4 * channels, words, length)


class ReadingUNet(UNet):
    """A UNet with cross-attention to the words after every self-attention. `settings` are the UNet's."""

    def __init__(self, words: int, length: int, *, heads: int = 4, groups: int = 8, **settings: Any):
        super().__init__(heads=heads, groups=groups, **settings)
        channels = self.stem.out_channels
        self.embedding = CaptionEmbedding(channels, 4 * channels, words, length)
        for layers in (self.encoder, self.middle, self.decoder):
            for i, layer in enumerate(layers):
                if isinstance(layer, Block) and not isinstance(layer.attention, nn.Identity):
                    layers[i] = ReadingBlock(layer, 4 * channels, groups, heads)
                else:
                    layers[i] = Deaf(layer)


class PooledDiT(DiT):
    """A DiT whose classes are captions, in adaLN-Zero. `settings` are the DiT's."""

    def __init__(self, words: int, length: int, size: int, **settings: Any):
        super().__init__(size, **settings)
        self.embedding = PooledEmbedding(256, self.film.in_features, words, length)
