"""MMDiT: a transformer whose words and patches have weights of their own and meet in one attention.

Stable Diffusion 3 (Esser et al. 2024, arXiv 2403.03206, section 4 and figure 2), small: caption words come
from a `TextEncoder`, and there is no rotary embedding and no second text model. Queries and keys are
normalised.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .captioned import CaptionEmbedding
from .dit import position_features
from .layers import check_input, modulate, zero


class Stream(nn.Module):
    """One modality's half of a block: everything but the attention."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.adaln = zero(nn.Linear(width, 6 * width))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query_norm, self.key_norm = nn.RMSNorm(width // heads), nn.RMSNorm(width // heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def ask(self, h: Float[Tensor, "b n w"], m: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """q, k and v of its tokens, each (b, heads, n, w / heads)."""
        shift, scale = m[0], m[1]
        qkv = self.qkv(modulate(self.norm(h), scale, shift)).unflatten(2, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        return self.query_norm(q), self.key_norm(k), v

    def answer(
        self, h: Float[Tensor, "b n w"], seen: Float[Tensor, "b n w"], m: tuple[Tensor, ...]
    ) -> Float[Tensor, "b n w"]:
        """What attention saw, through its gate, then the MLP through its own."""
        _, _, gate1, shift2, scale2, gate2 = m
        h = h + gate1 * self.out(seen)
        return h + gate2 * self.mlp(modulate(self.norm(h), scale2, shift2))


class JointBlock(nn.Module):
    """Two streams and one attention over the tokens of both."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.image, self.text = Stream(width, heads), Stream(width, heads)

    def forward(
        self, h: Float[Tensor, "b n w"], words: Float[Tensor, "b l w"], c: Float[Tensor, "b w"]
    ) -> tuple[Float[Tensor, "b n w"], Float[Tensor, "b l w"]]:
        m_image, m_text = (s.adaln(c)[:, None].chunk(6, -1) for s in (self.image, self.text))
        parts = zip(self.image.ask(h, m_image), self.text.ask(words, m_text), strict=True)
        q, k, v = (torch.cat(pair, 2) for pair in parts)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        by_image, by_text = seen.split([h.shape[1], words.shape[1]], 1)
        return self.image.answer(h, by_image, m_image), self.text.answer(words, by_text, m_text)


class MMDiT(nn.Module):
    """(x_t, t, captions) -> an image of the same size; 0 everywhere before training.

    words, length: of the captions. size, patch: sides of the image and of a patch, which is one token.
    """

    positions: Tensor

    def __init__(
        self,
        words: int,
        length: int,
        size: int,
        in_channels: int = 1,
        *,
        patch: int = 2,
        width: int = 96,
        depth: int = 4,
        heads: int = 4,
    ):
        super().__init__()
        if size % patch or width % (2 * heads):
            raise ValueError(
                f"an image of {size} in patches of {patch}, {width} channels in {heads} heads: patches must "
                "tile the image, and twice the heads divide the channels."
            )
        self.size, self.in_channels, self.patch = size, in_channels, patch
        self.embedding = CaptionEmbedding(256, width, words, length)
        self.patchify = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.register_buffer("positions", position_features(size // patch, width), persistent=False)
        self.blocks = nn.ModuleList(JointBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.film = zero(nn.Linear(width, 2 * width))
        self.out = zero(nn.Linear(width, patch**2 * in_channels))

    def forward(
        self, x: Float[Tensor, "b c h w"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b c h w"]:
        check_input(x, t, (self.in_channels, self.size, self.size), self.patchify.weight)
        c, words = self.embedding(t, cond)
        h = self.patchify(x).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            h, words = block(h, words, c)
        shift, scale = self.film(c)[:, None].chunk(2, -1)
        y = self.out(modulate(self.norm(h), scale, shift)).transpose(1, 2)
        grid = self.size // self.patch
        return F.pixel_shuffle(y.unflatten(2, (grid, grid)), self.patch)
