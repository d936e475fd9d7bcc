"""A task: everything that a shipped weight file depends on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..data import Share
from ..training import Alone, Batches, Fleet, Recipe, Trainer


def whole(model: nn.Module) -> nn.Module:
    """All of it."""
    return model


@dataclass(frozen=True)
class Task:
    """A model from its data to its weights.

    batches: (share, seed, device) -> the batches of a run. model: the untrained network, wrapped for use.
    objective: model -> the module whose output is its loss. shape: of one sample. part: what of the model
    is trained and ships; the rest comes from another shipped file.
    """

    name: str
    batches: Callable[[Share, int, torch.device], Batches]
    shape: tuple[int, ...]
    model: Callable[[], nn.Module]
    objective: Callable[[Any], nn.Module]
    recipe: Recipe
    batch: int
    n_classes: int = 0
    part: Callable[[Any], nn.Module] = whole

    @property
    def null(self) -> int:
        """The label for "no condition"."""
        return self.n_classes

    def untrained(self) -> Any:
        """The model before its first step; its weights depend on the recipe's seed alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return self.model()

    def trainer(self, fleet: Fleet | None = None) -> Trainer:
        """Ready to fit."""
        fleet = fleet or Alone()
        share = Share(self.batch * fleet.num_processes, fleet.process_index, fleet.num_processes)
        batches = self.batches(share, self.recipe.seed, fleet.device)
        return Trainer(self.objective(self.untrained()), batches, self.recipe, fleet)
