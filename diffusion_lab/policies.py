"""A generative model as a policy: sample a plan, carry out its beginning, look again, plan again.

    plan = lambda state: drawn(model, observe(state), 20, rng) * FORCE_STD
    for state in receding(plan, advance, state, execute=8, rounds=5): ...

Also forecasting: several futures of each scene from one model, in one batch.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from . import grids
from .denoisers import Denoise, Denoiser, given
from .samplers import euler, final

S = TypeVar("S")


def receding(
    plan: Callable[[S], Float[Tensor, "n h *a"]],
    advance: Callable[[S, Float[Tensor, "n *a"]], S],
    state: S,
    execute: int,
    rounds: int,
) -> Iterator[S]:
    """The state after every action: `execute` actions of each plan, then a new plan   (Diffusion Policy, Chi
    et al. 2023, section 3.1)."""
    for _ in range(rounds):
        actions = plan(state)
        if not 1 <= execute <= actions.shape[1]:
            raise ValueError(
                f"{execute} actions to carry out of a plan of {actions.shape[1]}: give 1 to all of them."
            )
        for action in actions[:, :execute].unbind(1):
            state = advance(state, action)
            yield state


@torch.no_grad()
def drawn(
    model: Denoiser,
    seen: Float[Tensor, "n c"],
    shape: tuple[int, ...],
    steps: int,
    rng: torch.Generator,
    k: int = 1,
    rule: Callable[[Denoise], Denoise] = lambda denoise: denoise,
    start: float = 1.0,
) -> Float[Tensor, "n k *d"]:
    """k samples of `shape` for every context: `steps` Euler steps on the ODE from t = `start`.

    `rule` may change the denoiser, as costs and known values do.
    """
    cond = seen.repeat_interleave(k, 0)
    process = model.process
    like = torch.empty((len(cond), *shape), device=seen.device, dtype=seen.dtype)
    x = process.prior(process.noise(like, rng), start)
    ends = final(euler(rule(given(model, cond)), x, grids.uniform(steps, start)))
    return ends.unflatten(0, (len(seen), k))
