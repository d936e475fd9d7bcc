"""Captions to pictures of the drawn world and of styled digits, and the judges of the results."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Share, drawn, styled
from ..data.world import PAD, World
from ..grids import logit_normal_law
from ..models.captioned import PooledDiT, PooledUNet, ReadingUNet
from ..models.judge import Judge
from ..models.mmdit import MMDiT
from ..schedules import Flow
from ..seeds import rng_at
from ..training import Objective, Recipe
from .images import denoiser
from .task import Task

Law = Callable[[int, torch.Generator], tuple[Tensor, Any]]
"""(n, rng) -> n examples and their conditions."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Fresh examples with conditions at every step. Each process draws the whole batch and keeps its rows."""

    law: Law
    share: Share
    seed: int = 0
    device: torch.device | str = "cpu"

    def __call__(self, step: int) -> tuple[Tensor, Any]:
        rows = self.share.rows(step)
        start = rows.start - step * self.share.batch
        x, cond = self.law(self.share.batch, rng_at("pair", self.seed, step))
        return self._own(x, start, len(rows)), self._own(cond, start, len(rows))

    def _own(self, value: Any, start: int, n: int) -> Any:
        """The rows of this process, of a tensor or of each in a named tuple, on its device."""
        if isinstance(value, tuple):
            return type(value)(*[self._own(part, start, n) for part in value])
        return value if value is None else value[start : start + n].to(self.device)


class Naming(nn.Module):
    """Cross-entropy of the judge on real pictures with a little noise."""

    def __init__(self, model: Judge, noise: float = 0.05):
        super().__init__()
        self.model, self.noise = model, noise

    def forward(self, x0: Tensor, cond: Any, rng: torch.Generator) -> Tensor:
        z = torch.randn(x0.shape, generator=rng, device=x0.device, dtype=x0.dtype)
        return self.model.loss(x0 + self.noise * z, cond)


def judge(world: World) -> Task:
    """The network that names attributes, trained on real renders of every combination."""
    return Task(
        name=f"{world.name}-judge",
        batches=partial(Pairs, world.picture_and_scene),
        shape=(1, 16, 16),
        model=partial(Judge, world.counts),
        objective=Naming,
        recipe=Recipe(steps=2000, lr=2e-3, weight_decay=0.01),
        batch=128,
    )


def captioned(name: str, world: World, net: Callable[[int, int], nn.Module], **recipe: Any) -> Task:
    """A network that reads captions, trained to predict velocity on the straight line. net: how many words
    there are, and how many a caption has -> the network."""
    return Task(
        name=name,
        batches=partial(Pairs, world.picture_and_caption),
        shape=(1, 16, 16),
        model=denoiser(partial(net, len(world.vocabulary), world.length), Flow, "velocity"),
        objective=partial(Objective, law=logit_normal_law(), drop=0.1, null=PAD),
        recipe=Recipe(**{"steps": 3000, "lr": 3e-3, **recipe}),
        batch=64,
    )


small_unet: dict[str, Any] = {"channels": 16, "multipliers": (1, 2, 3), "blocks": 1, "attention": (2,)}
reading_unet = partial(ReadingUNet, **small_unet)
pooled_unet = partial(PooledUNet, **small_unet)
pooled_dit = partial(PooledDiT, size=16, patch=2, width=96, depth=4)
joint_dit = partial(MMDiT, size=16, width=96, depth=4)

TASKS: dict[str, Task] = {
    "drawn": captioned("drawn", drawn.WORLD, reading_unet),
    "drawn-pooled": captioned("drawn-pooled", drawn.WORLD, pooled_unet),
    "drawn-dit": captioned("drawn-dit", drawn.WORLD, pooled_dit, steps=2800, lr=1e-3),
    "drawn-joint": captioned("drawn-joint", drawn.WORLD, joint_dit, steps=2000, lr=1e-3),
    "drawn-judge": judge(drawn.WORLD),
    "digits-styled": captioned("digits-styled", styled.WORLD, reading_unet),
    "digits-styled-judge": judge(styled.WORLD),
}
