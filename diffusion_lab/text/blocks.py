"""Block diffusion: block after block from the left, masked diffusion within a block   (BD3-LM: Arriola et al.
2025, arXiv 2503.09573).

Blocks of one token are the autoregressive twin, one block of the whole length is MDLM. Finished blocks never
change, so their keys and values are kept, exactly; and text may end after any block.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .. import grids
from ..coefficients import Number
from ..denoisers import Rule, substitute
from ..grids import Law
from ..losses import masked
from ..models.text import Past, Trunk, small
from ..processes import Categorical
from ..samplers import ancestral, final
from ..schedules import Flow


class BlockNet(nn.Module):
    """log p of the clean tokens of a block, given its noisy self and the clean blocks before it."""

    def __init__(
        self, vocab: int, length: int, block: int, *, width: int = 96, depth: int = 3, heads: int = 4
    ):
        super().__init__()
        if length % block:
            raise ValueError(f"blocks of {block} do not tile {length} tokens: choose a divisor of {length}.")
        self.length, self.block = length, block
        self.process = Categorical.masked(Flow(), vocab)
        self.tokens = small(nn.Embedding(vocab + 1, width))
        self.trunk = Trunk(length, width, depth, heads)
        self.out = nn.Linear(width, vocab + 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, noisy: Int[Tensor, "b l"], clean: Int[Tensor, "b l"]) -> Float[Tensor, "b l v"]:
        """Every block at once: noisy text beside its clean self, and a mask that says who sees whom."""
        at = torch.arange(self.length, device=noisy.device).repeat(2)
        both = self.tokens(torch.cat([noisy, clean], 1))
        h, _ = self.trunk(both, visible(self.length, self.block).to(noisy.device), None, at)
        return substitute(self.out(h[:, : self.length]), noisy)

    def after(self, x: Int[Tensor, "b n"], past: Past | None) -> tuple[Float[Tensor, "b n v"], Past]:
        """One block after those in the past, and the past with it."""
        before = 0 if past is None else past[0][0].shape[2]
        at = before + torch.arange(x.shape[1], device=x.device)
        h, past = self.trunk(self.tokens(x), None, past, at)
        return substitute(self.out(h), x), past


def visible(length: int, block: int) -> Bool[Tensor, "m m"]:
    """Of noisy text, then clean: a noisy token sees its own noisy block and the clean ones before it; a clean
    token sees clean blocks up to its own   (BD3-LM section 3.2)."""
    i = torch.arange(length) // block
    own, before, upto = i[:, None] == i, i[:, None] > i, i[:, None] >= i
    return torch.cat([torch.cat([own, before], 1), torch.cat([torch.zeros_like(upto), upto], 1)])


class BlockBound(nn.Module):
    """Sum over blocks of MDLM's bound, each at a time of its own, nats per text   (BD3-LM eq. 5)."""

    def __init__(self, model: BlockNet, law: Law):
        super().__init__()
        self.model, self.law = model, law

    def forward(self, x0: Int[Tensor, "b l"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        """Blocks are the examples of `losses.masked`."""
        blocks = x0.reshape(-1, self.model.block)

        def denoise(x: Tensor, t: Number, _: Any) -> Tensor:
            return self.model(x.reshape(x0.shape), x0).reshape(*x.shape, -1)

        process = self.model.process
        noise = process.noise(blocks, rng)
        loss = masked(Rule(process, denoise), blocks, self.law(len(blocks), rng), noise)
        return loss.reshape(len(x0), -1).sum(1)


@torch.no_grad()
def block_writing(
    model: BlockNet, n: int, steps: int, rng: torch.Generator | None = None
) -> Iterator[Int[Tensor, "n m"]]:
    """n texts after every finished block, `steps` calls each; keys and values of finished blocks are kept."""
    device = model.out.weight.device
    x, past = torch.empty(n, 0, dtype=torch.long, device=device), None
    start = torch.full((n, model.block), int(model.process.prior_probs.argmax()), device=device)
    while x.shape[1] < model.length:
        block = final(ancestral(_within(model, past), start, grids.uniform(steps), rng))
        _, past = model.after(block, past)
        x = torch.cat([x, block], 1)
        yield x


def _within(model: BlockNet, past: Past | None) -> Rule:
    """The denoiser of the next block."""
    return Rule(model.process, lambda x, t, cond: model.after(x, past)[0])
