"""In which order are tokens revealed? Processes with MDLM's forward half and other ways back.

    steps = ancestral(in_order(denoise, quota(confidence)), x, grids.uniform(8), rng)

The sampler stays `ancestral`: an order is a choice of `process.reverse`. Tokens that are revealed in one step
are drawn independently of each other, whatever their order; that is the error which fewer steps buy.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .. import steps as walks
from ..coefficients import Number, Schedule
from ..denoisers import Denoise, Rule
from ..processes import Categorical, TokenNoise


class OrderNoise(NamedTuple):
    """What decides which token, and r ~ U(0, 1), which decides between places."""

    token: TokenNoise
    r: Float[Tensor, "b l"]


Rank = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(log_p0 (b, l, v), the drawn tokens (b, l), r (b, l)) -> (b, l): where it is high is revealed first."""

Plan = Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]
"""(log_p0, drawn, hidden (b, l), r, share of the hidden that stays) -> which to reveal (b, l)."""


def random(log_p0: Float[Tensor, "b l v"], drawn: Int[Tensor, "b l"], r: Float[Tensor, "b l"]) -> Tensor:
    """Any place: the order that training is made of."""
    return r


def confidence(log_p0: Float[Tensor, "b l v"], drawn: Int[Tensor, "b l"], r: Tensor) -> Tensor:
    """log p of the drawn token: MaskGIT's and LLaDA's order."""
    return log_p0.gather(-1, drawn[..., None]).squeeze(-1)


def margin(log_p0: Float[Tensor, "b l v"], drawn: Int[Tensor, "b l"], r: Tensor) -> Tensor:
    """Best minus second best probability   (Kim et al. 2025, arXiv 2502.06768)."""
    best = log_p0.exp().topk(2, -1).values
    return best[..., 0] - best[..., 1]


def certainty(log_p0: Float[Tensor, "b l v"], drawn: Int[Tensor, "b l"], r: Tensor) -> Tensor:
    """Minus the entropy of the place."""
    return -entropy(log_p0)


def left_to_right(log_p0: Float[Tensor, "b l v"], drawn: Int[Tensor, "b l"], r: Tensor) -> Tensor:
    """Reading order: what the autoregressive twin is bound to."""
    return -torch.arange(r.shape[1], device=r.device).expand_as(r).to(r)


ORDERS: dict[str, Rank] = {
    "random": random,
    "confidence": confidence,
    "margin": margin,
    "certainty": certainty,
    "left to right": left_to_right,
}


def quota(rank: Rank) -> Plan:
    """The same number of tokens in every step: as many stay hidden as the schedule says, rounded."""

    def plan(log_p0: Tensor, drawn: Tensor, hidden: Tensor, r: Tensor, stays: float) -> Tensor:
        n = hidden.sum(1)
        k = n - (n * stays).round().to(n)
        return hidden & (places(rank(log_p0, drawn, r), hidden) < k[:, None])

    return plan


def entropy_bounded(gamma: float, rank: Rank = certainty) -> Plan:
    """In the order of `rank`, as many tokens as keep (sum of entropies) - (largest of them) <= gamma nats,
    and at least one   (Ben-Hamu et al. 2025, arXiv 2505.24857).

    Their joint entropy is no less than the largest, so KL(joint || product of marginals) <= gamma: what
    drawing them at once costs. gamma = 0 is one at a time, with all those that are certain.
    """
    if not gamma >= 0:
        raise ValueError(f"gamma = {gamma}: an entropy bound is at least 0 nats.")

    def plan(log_p0: Tensor, drawn: Tensor, hidden: Tensor, r: Tensor, stays: float) -> Tensor:
        place = places(rank(log_p0, drawn, r), hidden)
        h = torch.where(hidden, entropy(log_p0), 0.0)
        along = torch.zeros_like(h).scatter(1, place, h)
        within = along.cumsum(1) - along.cummax(1).values <= gamma + 1e-9
        first = hidden & (place == 0)
        return hidden if stays == 0 else hidden & (first | within.gather(1, place))

    return plan


@dataclass(frozen=True, eq=False)
class Ordered:
    """A masked process whose way back reveals tokens by a plan, not each by its own coin."""

    base: Categorical
    plan: Plan

    @property
    def schedule(self) -> Schedule:
        """The base's."""
        return self.base.schedule

    @property
    def mask(self) -> int | None:
        """The base's."""
        return self.base.mask

    def noise(self, like: Int[Tensor, "b l"], rng: torch.Generator | None = None) -> OrderNoise:
        """The base's, and r."""
        token = self.base.noise(like, rng)
        u = token.u
        return OrderNoise(token, torch.rand(u.shape, generator=rng, device=u.device, dtype=u.dtype))

    def prior(self, noise: OrderNoise, t: float = 1.0) -> Int[Tensor, "b l"]:
        """All masks."""
        return self.base.prior(noise.token, t)

    def diffuse(self, x0: Int[Tensor, "b l"], t: Number, noise: OrderNoise) -> Int[Tensor, "b l"]:
        """The base's: training knows no order."""
        return self.base.diffuse(x0, t, noise.token)

    def reverse(
        self, x: Int[Tensor, "b l"], log_p0: Float[Tensor, "b l v"], t: float, s: float, noise: OrderNoise
    ) -> Int[Tensor, "b l"]:
        """Draw every hidden token from p(x_0 | x_t), reveal those that the plan names."""
        drawn = self.base.reverse(x, log_p0, t, 0.0, noise.token)
        shown_t, shown_s = (float(self.schedule.at(u, noise.r).a) for u in (t, s))
        reveal = self.plan(log_p0, drawn, self.base.is_masked(x), noise.r, (1 - shown_s) / (1 - shown_t))
        return torch.where(reveal, drawn, x)


def in_order(denoise: Denoise, plan: Plan) -> Rule:
    """The same predictions, revealed by a plan: `quota(confidence)`, `entropy_bounded(0.1)`, ..."""
    if denoise.process.mask is None:
        raise ValueError("this process has no mask: orders of unmasking need `Categorical.masked`.")
    return Rule(Ordered(denoise.process, plan), denoise)


def until_shown(steps: Iterable[walks.Step], mask: int) -> Iterator[walks.Step]:
    """Stop after the step in which the last mask is gone: an adaptive plan needs fewer calls than the grid
    has points."""
    for step in steps:
        yield step
        if not (step.x == mask).any():
            return


def entropy(log_p: Float[Tensor, "b l v"]) -> Float[Tensor, "b l"]:
    """-sum p log p, nats, with 0 log 0 = 0."""
    return torch.special.entr(log_p.exp()).sum(-1)


def places(score: Float[Tensor, "b l"], hidden: Bool[Tensor, "b l"]) -> Int[Tensor, "b l"]:
    """0 for the hidden token with the highest score, 1 for the next; those that show come last."""
    best_first = score.masked_fill(~hidden, -torch.inf).argsort(1, descending=True)
    return best_first.argsort(1)
