"""Batches as a pure function: step -> (x, cond).

Nothing is consumed and nothing is remembered, so a run that resumes at step k sees what it would have seen,
and several processes see disjoint shares of the same global batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..seeds import rng_at

Examples = tuple[Float[Tensor, "n *d"], Int[Tensor, "n"] | None]
"""Data and, where there are any, class labels 0, 1, ..."""


@lru_cache(maxsize=4)
def _epoch(n: int, seed: int, epoch: int, device: torch.device) -> tuple[Int[Tensor, "n"], Bool[Tensor, "n"]]:
    """The order of an epoch and a fair coin for each place in it. Kept: steps in a row ask for the same."""
    rng = rng_at("epoch", seed, epoch)
    return torch.randperm(n, generator=rng).to(device), (torch.rand(n, generator=rng) < 0.5).to(device)


@dataclass(frozen=True)
class Share:
    """What process `rank` of `world` takes of every global batch: `batch / world` examples in a row."""

    batch: int
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if self.batch < 1 or self.world < 1 or self.batch % self.world:
            raise ValueError(
                f"a batch of {self.batch} over {self.world} processes: give a positive multiple of the number"
                " of processes; `batch` counts the examples of all of them together."
            )
        if not 0 <= self.rank < self.world:
            raise ValueError(f"process {self.rank} of {self.world}: ranks run from 0 to {self.world - 1}.")

    def rows(self, step: int) -> range:
        """Positions in the endless stream of examples that step `step` takes here."""
        if step < 0:
            raise ValueError(f"step {step}: steps count from 0.")
        size = self.batch // self.world
        start = step * self.batch + self.rank * size
        return range(start, start + size)


@dataclass(frozen=True, eq=False)
class Batches:
    """Epochs of a finite set, each in its own order, one after another without a gap.

    The batch that crosses the end of an epoch takes the rest from the next one: every example is seen exactly
    once per epoch, whatever the batch size. Batches live on the data's device. `flip` mirrors images left to
    right with probability 1/2; it is wrong wherever a mirror image means something else, as for digits.
    """

    x: Float[Tensor, "n *d"]
    cond: Int[Tensor, "_"] | None
    share: Share
    seed: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        if len(self.x) == 0:
            raise ValueError("the data set is empty: give at least one example.")
        x, cond = self.x, self.cond
        if cond is not None and (cond.shape != x.shape[:1] or cond.device != x.device):
            raise ValueError(
                f"labels of shape {tuple(cond.shape)} on {cond.device} for data of shape {tuple(x.shape)} on"
                f" {x.device}: give one label per example, on the same device."
            )
        if self.flip and x.ndim != 4:
            raise ValueError(
                f"flip=True for data of shape {tuple(x.shape)}: it needs images (n, channels, height, width)."
            )

    def __call__(self, step: int) -> Examples:
        n, rows = len(self.x), self.share.rows(step)
        epochs = range(rows.start // n, (rows.stop - 1) // n + 1)
        parts = [self._part(epoch, rows.start - epoch * n, rows.stop - epoch * n) for epoch in epochs]
        order, coins = (torch.cat(p) for p in zip(*parts))
        x = self.x[order]
        if self.flip:
            x = torch.where(coins[:, None, None, None], x.flip(-1), x)
        return x, None if self.cond is None else self.cond[order]

    def _part(self, epoch: int, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Rows start..stop of an epoch, as far as it has them."""
        order, coins = _epoch(len(self.x), self.seed, epoch, self.x.device)
        return order[max(start, 0) : stop], coins[max(start, 0) : stop]


@dataclass(frozen=True, eq=False)
class Draws:
    """Fresh examples at every step, from a law that never ends.

    Each process draws the whole batch, on the CPU, and keeps its rows: a seed means the same points on every
    device and any number of processes.
    """

    law: Callable[[int, torch.Generator], Float[Tensor, "n *d"]]
    share: Share
    seed: int = 0
    device: torch.device | str = "cpu"

    def __call__(self, step: int) -> Examples:
        rows = self.share.rows(step)
        x = self.law(self.share.batch, rng_at("draw", self.seed, step))
        start = rows.start - step * self.share.batch
        return x[start : start + len(rows)].to(self.device), None
