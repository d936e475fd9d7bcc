"""One training loop for every process: a generator of records, resumable to the bit.

    trainer = Trainer(Objective(denoiser, uniform_law()), batches, Recipe(steps=2000))
    for record in trainer.fit(): ...

Progress bars, logs and checkpoints are consumers of those records (`runs.py`). All that is random in step n
comes from (seed, n), so the step is the whole state of the randomness and a resumed run repeats nothing.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .denoisers import Denoiser, TokenDenoiser
from .grids import Law
from .losses import Weight, denoising
from .seeds import rng_at

Batches = Callable[[int], tuple[Tensor, Any]]
"""step -> (x_0, condition or None), a pure function of the step."""


@dataclass(frozen=True)
class Recipe:
    """Everything about a run that is not the model, its loss or its data."""

    steps: int
    lr: float = 1e-3
    warmup: int = 100
    lr_end: float = 0.0
    weight_decay: float = 0.0
    ema: float = 0.999
    clip: float = 1.0
    accumulate: int = 1
    bf16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.accumulate < 1 or not self.lr > 0 or not 0 <= self.ema < 1:
            raise ValueError(f"{self}: steps and accumulate are at least 1, lr above 0 and ema in [0, 1).")

    def lr_at(self, step: int) -> float:
        """Linear warm-up, then half a cosine from lr to lr * lr_end."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        turn = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.lr_end + (1 - self.lr_end) * (1 + math.cos(math.pi * turn)) / 2)


class Record(NamedTuple):
    """What one step did. The tensors have one value each; reading them makes an accelerator wait."""

    step: int
    loss: Tensor
    grad_norm: Tensor
    lr: float


class Objective(nn.Module):
    """The loss of a batch, as one module: what is compiled, distributed and differentiated.

    `drop` of the conditions become `null`, which trains the unconditional model beside the conditional one
    (Ho & Salimans 2022, algorithm 1).
    """

    def __init__(
        self,
        model: Denoiser | TokenDenoiser,
        law: Law,
        loss: Callable[..., Float[Tensor, "b"]] = denoising,
        weight: Weight | None = None,
        drop: float = 0.0,
        null: int = 0,
    ):
        super().__init__()
        self.model, self.law, self.drop, self.null = model, law, drop, null
        self.loss = loss if weight is None else partial(loss, weight=weight)

    def forward(self, x0: Tensor, cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        """One value per example, at times and noise drawn from rng."""
        t = self.law(len(x0), rng)
        noise = self.model.process.noise(x0, rng)
        return self.loss(self.model, x0, t, noise, dropped(cond, self.drop, self.null, rng))


def dropped(
    cond: Int[Tensor, "b *l"] | None, drop: float, null: int, rng: torch.Generator
) -> Int[Tensor, "b *l"] | None:
    """Labels or captions with a share `drop` of them replaced by `null`."""
    if cond is None or drop == 0:
        return cond
    gone = torch.rand(len(cond), generator=rng, device=rng.device) < drop
    return torch.where(gone.view(-1, *[1] * (cond.ndim - 1)), null, cond)


@runtime_checkable
class Fleet(Protocol):
    """What the loop asks of `accelerate.Accelerator`: several processes, or `Alone`."""

    device: torch.device
    process_index: int
    num_processes: int

    def prepare(self, *parts: Any) -> Any: ...
    def backward(self, loss: Tensor) -> None: ...
    def no_sync(self, model: nn.Module) -> AbstractContextManager[Any]: ...


@dataclass
class Alone:
    """One process on one device."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    process_index: int = 0
    num_processes: int = 1

    def prepare(self, *parts: Any) -> Any:
        """Nothing to wrap."""
        return parts

    def backward(self, loss: Tensor) -> None:
        """Gradients stay here."""
        loss.backward()

    def no_sync(self, model: nn.Module) -> AbstractContextManager[Any]:
        """There is nobody to wait for."""
        return nullcontext()


class Trainer:
    """objective -> backward -> clip -> AdamW -> moving average, one `Record` per step.

    objective(x0, cond, rng) gives one loss per example, (b,), of its submodule `model`: `Objective`, or any
    module of that form. `fleet` may be an `accelerate.Accelerator`. `averaged` holds the moving average of
    the model: sample from that one.
    """

    def __init__(self, objective: nn.Module, batches: Batches, recipe: Recipe, fleet: Fleet | None = None):
        self.fleet = fleet or Alone()
        self.recipe, self.batches, self.step = recipe, batches, 0
        self.model = objective.get_submodule("model").to(self.fleet.device)
        fused = self.fleet.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=fused
        )
        self.ema = AveragedModel(self.model, multi_avg_fn=warmed_ema(recipe.ema), use_buffers=True)
        self.objective, self.stepper = self.fleet.prepare(objective, self.optimizer)

    @property
    def averaged(self) -> Any:
        """The model with averaged weights."""
        return self.ema.module

    def fit(self, check_every: int = 50) -> Iterator[Record]:
        """Train until the recipe's last step. A loss that is not finite ends the run before it is saved."""
        while self.step < self.recipe.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.lr_at(self.step)
            loss = self._accumulated()
            norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip, foreach=True)
            if (self.step + 1) % check_every == 0 or self.step == 0:
                self._check(loss, norm)
            self.stepper.step()
            self.stepper.zero_grad()
            self.ema.update_parameters(self.model)
            self.step += 1
            yield Record(self.step, loss, norm, self.recipe.lr_at(self.step - 1))

    def _accumulated(self) -> Tensor:
        """Gradients of the mean loss over `accumulate` batches; processes meet at the last one."""
        n, total = self.recipe.accumulate, torch.zeros((), device=self.fleet.device)
        for part in range(n):
            index = self.step * n + part
            x0, cond = self.batches(index)
            wait = nullcontext() if part == n - 1 else self.fleet.no_sync(self.objective)
            with wait:
                with torch.autocast(self.fleet.device.type, torch.bfloat16, enabled=self.recipe.bf16):
                    loss = self.objective(x0, cond, self._rng(index)).mean() / n
                self.fleet.backward(loss)
            total += loss.detach()
        return total

    def _rng(self, index: int) -> torch.Generator:
        return rng_at(f"noise {self.fleet.process_index}", self.recipe.seed, index, self.fleet.device)

    def _check(self, loss: Tensor, norm: Tensor) -> None:
        if not (loss.isfinite() and norm.isfinite()):
            raise ValueError(
                f"at step {self.step} the loss is {loss:.4g} and the gradient's norm {norm:.4g}: this run "
                f"cannot go on. Lower the learning rate ({self.recipe.lr:g}), clip harder "
                f"({self.recipe.clip:g}) or look at the data; the last checkpoint is untouched."
            )


def warmed_ema(decay: float) -> Callable[[Any, Any, Any], None]:
    """Moving average with decay min(decay, (1 + n) / (10 + n)): the first weights are soon forgotten."""

    def update(averaged: Any, current: Any, n: Any) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(n)) / (10 + int(n))))(averaged, current, n)

    return update
