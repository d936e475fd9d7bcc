"""One small transformer for text, used in two ways: it sees everything (diffusion) or only the left (its
autoregressive twin). Both have the same blocks, so that what differs between them is the order alone.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .layers import Embedding, SelfAttention

Past = list[tuple[Tensor, Tensor]]
"""Keys and values (b, heads, n, d) of the tokens seen so far, one pair per block."""


SMALL = 0.1
"""Standard deviation of embeddings at the start. With torch's own, 1, they drown what the blocks say:
after 200 steps on `dates` the bound is 18 nats instead of 11."""


class Attention(SelfAttention):
    """Self-attention that may look back at keys and values of an earlier call."""

    def attend(
        self, x: Float[Tensor, "b n k"], mask: Bool[Tensor, "n m"] | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Float[Tensor, "b n k"], tuple[Tensor, Tensor]]:
        """The output, and the keys and values of past and new tokens together."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(out.transpose(1, 2).flatten(2)), (k, v)


class Block(nn.Module):
    """h + attention(norm(h)), then h + MLP(norm(h))."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.lift, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, h: Float[Tensor, "b n w"], mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Float[Tensor, "b n w"], tuple[Tensor, Tensor]]:
        seen, kept = self.attention.attend(self.norm1(h), mask, past)
        h = h + seen
        return h + self.project(F.gelu(self.lift(self.norm2(h)))), kept


class Trunk(nn.Module):
    """Positions, blocks and a last norm: vectors (b, n, w) -> vectors (b, n, w)."""

    def __init__(self, length: int, width: int, depth: int, heads: int):
        super().__init__()
        self.positions = nn.Parameter(SMALL * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        h: Float[Tensor, "b n w"],
        mask: Bool[Tensor, "n m"] | None = None,
        past: Past | None = None,
        at: Int[Tensor, "n"] | None = None,
    ) -> tuple[Float[Tensor, "b n w"], Past]:
        """mask[i, j]: whether token i sees token j; None is everything. past: of earlier tokens. at: where
        the tokens lie, 0 .. n - 1 unless given. Returns what the next call needs as its past, too."""
        places = self.positions[: h.shape[1]] if at is None else self.positions[at]
        h, kept = h + places, []
        for i, block in enumerate(self.blocks):
            h, pair = block(h, mask, None if past is None else past[i])
            kept.append(pair)
        return self.norm(h), kept


class TextNet(nn.Module):
    """net(x_t, t, class) -> logits (b, l, vocab): every token sees every other.

    vocab: ids it reads and scores, the mask among them where the process has one. n_classes: conditions
    0 .. n_classes - 1, and n_classes for none; 0 for a network without.
    """

    def __init__(
        self,
        vocab: int,
        length: int,
        *,
        width: int = 128,
        depth: int = 4,
        heads: int = 4,
        n_classes: int = 0,
    ):
        super().__init__()
        self.vocab, self.length, self.n_classes = vocab, length, n_classes
        self.tokens = small(nn.Embedding(vocab, width))
        self.embedding = Embedding(width, width, n_classes)
        self.trunk = Trunk(length, width, depth, heads)
        self.out = nn.Linear(width, vocab)
        nn.init.zeros_(self.out.weight)

    def forward(
        self, x: Int[Tensor, "b l"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b l v"]:
        """Refuses ids, lengths and conditions that do not fit, in a sentence."""
        check_tokens(x, self.vocab, self.length)
        if cond is not None and not self.n_classes:
            raise ValueError("this network knows no classes: leave the condition, and guidance, out.")
        h, _ = self.trunk(self.tokens(x) + self.embedding(t, cond)[:, None])
        return self.out(h)


class Causal(nn.Module):
    """The autoregressive twin: log p(x_i | x_0 .. x_{i-1}) for every i, in one pass over known text.

    Its inputs are shifted by one: place i reads token i - 1, place 0 reads `vocab`, the sign for a start.
    """

    def __init__(self, vocab: int, length: int, *, width: int = 128, depth: int = 4, heads: int = 4):
        super().__init__()
        self.vocab, self.length = vocab, length
        self.tokens = small(nn.Embedding(vocab + 1, width))
        self.trunk = Trunk(length, width, depth, heads)
        self.out = nn.Linear(width, vocab)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Int[Tensor, "b l"]) -> Float[Tensor, "b l v"]:
        """log p of every token given those to its left."""
        check_tokens(x, self.vocab, self.length)
        start = torch.full_like(x[:, :1], self.vocab)
        log_p, _ = self.after(torch.cat([start, x[:, :-1]], 1), None)
        return log_p

    def after(self, read: Int[Tensor, "b n"], past: Past | None) -> tuple[Float[Tensor, "b n v"], Past]:
        """What follows each of the tokens just read, and the past with them: one token at a time costs one
        token's work, whatever came before."""
        before = 0 if past is None else past[0][0].shape[2]
        at = before + torch.arange(read.shape[1], device=read.device)
        mask = torch.arange(before + len(at), device=read.device) <= at[:, None]
        h, past = self.trunk(self.tokens(read), mask, past, at)
        return self.out(h).log_softmax(-1), past


def small(table: nn.Embedding) -> nn.Embedding:
    """Rows of standard deviation SMALL."""
    nn.init.normal_(table.weight, std=SMALL)
    return table


def check_tokens(x: Int[Tensor, "b l"], vocab: int, length: int) -> None:
    """Ids that the network knows, in sequences that it has places for."""
    if x.shape[1] > length:
        raise ValueError(
            f"sequences of {x.shape[1]} tokens: this network has {length} places; cut them, or train longer."
        )
    # On a GPU this look would stop the queue at every call; there the embedding's own assertion guards.
    if x.device.type == "cpu" and not torch.compiler.is_compiling() and x.numel() and _outside(x, vocab):
        raise ValueError(f"token ids run from {x.min()} to {x.max()}: this network knows 0 to {vocab - 1}.")


def _outside(x: Tensor, vocab: int) -> bool:
    return bool(((x < 0) | (x >= vocab)).any())
