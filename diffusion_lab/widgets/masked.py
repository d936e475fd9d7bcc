"""The masked-text lab: twelve sentences, orders of unmasking, and the exact law that comes out of each.

unmasking_lab()                              # the live part
outcome(TWELVE, quota(leftmost(random)), 2)  # what two tokens a call in random order lead to
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..text.unmask import Plan, Rank, certainty, confidence, entropy_bounded, left_to_right, quota, random
from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MASK = -1


@dataclass(frozen=True, eq=False)
class Sentences:
    """A law on texts of one length: which words each place knows, and the sentences with their weights."""

    words: list[list[str]]
    rows: Int[Tensor, "n l"]
    weights: Float[Tensor, "n"]

    def fit(self, x: Int[Tensor, "b l"]) -> Bool[Tensor, "b n"]:
        """Which sentences agree with all that shows."""
        return ((x[:, None] == MASK) | (x[:, None] == self.rows)).all(-1)

    def log_conditionals(self, x: Int[Tensor, "b l"]) -> Float[Tensor, "b l v"]:
        """log p(x_0 | what shows) of every place, exactly."""
        onehot = torch.nn.functional.one_hot(self.rows, max(map(len, self.words))).to(self.weights)
        kept = self.fit(x) * self.weights
        return torch.einsum("bn,nlv->blv", kept / kept.sum(1, keepdim=True), onehot).clamp(0, 1).log()


def twelve() -> Sentences:
    """Verbs depend on two words, the second word of a city on the first, "in" on nothing."""
    words = [
        ["she", "they"],
        ["is", "are", "was", "were"],
        ["in"],
        ["New", "Los", "San"],
        ["York", "Angeles", "Diego"],
        ["now", "then"],
    ]
    people, cities, times = (0.6, 0.4), (0.5, 0.3, 0.2), (0.7, 0.3)
    every = list(product(range(2), range(2), range(3)))
    rows = [[who, who + 2 * when, 0, city, city, when] for who, when, city in every]
    weights = [people[who] * times[when] * cities[city] for who, when, city in every]
    return Sentences(words, torch.tensor(rows), torch.tensor(weights, dtype=torch.float64))


class Outcome(NamedTuple):
    """Probability of a sentence, total variation to the true law, KL(true || drawn) in nats, and the calls
    of a text that becomes a sentence."""

    valid: float
    variation: float
    divergence: float
    calls: float


def leftmost(rank: Rank) -> Rank:
    """The same order; ties, up to rounding, go to the left."""
    return lambda log_p0, drawn, r: rank(log_p0, drawn, r) - 1e-9 * torch.arange(r.shape[1])


def outcome(law: Sentences, plan: Plan, per_call: int = 0, shuffled: bool = False) -> Outcome:
    """Follow every text that can still become a sentence. `per_call` is the quota of plans that have one;
    `shuffled` tries every choice of places, for plans that read r."""
    states = torch.full((1, law.rows.shape[1]), MASK)
    p, drawn_law = torch.ones(1, dtype=torch.float64), torch.zeros_like(law.weights)
    calls, made = 0.0, 0
    while len(states):
        made += 1
        after, p = one_call(law, plan, states, p, per_call, shuffled)
        done = (after != MASK).all(1)
        drawn_law += law.fit(after[done]).to(p).T @ p[done]
        calls += made * p[done].sum().item()
        states, p = after[~done], p[~done]
    valid = drawn_law.sum()
    variation = 1 - torch.minimum(law.weights, drawn_law).sum()
    divergence = (law.weights * (law.weights / drawn_law).log()).sum()
    return Outcome(valid.item(), variation.item(), divergence.item(), calls / valid.item())


def one_call(
    law: Sentences, plan: Plan, x: Int[Tensor, "b l"], p: Float[Tensor, "b"], per_call: int, shuffled: bool
) -> tuple[Int[Tensor, "c l"], Float[Tensor, "c"]]:
    """Every state that a call may lead to and that can still become a sentence, with its probability.
    States of a plan with a quota have one number of hidden tokens."""
    hidden, log_p0 = x == MASK, law.log_conditionals(x)
    left = int(hidden[0].sum())
    of, drawn, r = every_case(log_p0, hidden, min(per_call, left) if shuffled else 0)
    tried = math.comb(left, min(per_call, left)) if shuffled else 1
    weight = p[of] * log_p0[of].gather(2, drawn[..., None])[..., 0].sum(1).exp() / tried
    reveal = plan(log_p0[of], drawn, hidden[of], r, max(left - per_call, 0) / left)
    after, place = torch.where(reveal, drawn, x[of]).unique(dim=0, return_inverse=True)
    total = torch.zeros(len(after), dtype=torch.float64).index_add(0, place, weight)
    alive = law.fit(after).any(1)
    return after[alive], total[alive]


def every_case(
    log_p0: Float[Tensor, "b l v"], hidden: Bool[Tensor, "b l"], chosen: int
) -> tuple[Int[Tensor, "m"], Int[Tensor, "m l"], Float[Tensor, "m l"]]:
    """Of every state all joint draws of independent places, with every r that puts `chosen` places first."""
    cases = [
        (state, draw, [float(i in first) for i in range(len(rows))])
        for state, rows in enumerate((log_p0 > -torch.inf).tolist())
        for draw in product(*[[word for word, can in enumerate(row) if can] for row in rows])
        for first in combinations(hidden[state].nonzero().flatten().tolist(), chosen)
    ]
    of, drawn, r = zip(*cases, strict=True)
    return torch.tensor(of), torch.tensor(drawn), torch.tensor(r, dtype=torch.float64)


PER_CALL = (1, 2, 3, 6)
BUDGETS = (0.0, 0.7, 1.1, 1.4, 2.5, 3.5)

ORDERS: dict[str, Callable[[Sentences], list[Outcome]]] = {
    "random": lambda law: [outcome(law, quota(random), n, shuffled=True) for n in PER_CALL],
    "left to right": lambda law: [outcome(law, quota(left_to_right), n) for n in PER_CALL],
    "confidence": lambda law: [outcome(law, quota(leftmost(confidence)), n) for n in PER_CALL],
    "entropy bounded": lambda law: [
        outcome(law, entropy_bounded(gamma, leftmost(certainty))) for gamma in BUDGETS
    ],
}
"""What the part compares: an order with its numbers of tokens a call, or its budgets in nats."""


def unmasking_lab() -> Part:
    """Choose an order and the tokens of a call, watch texts appear, read the law that results."""
    law = twelve()
    curves = {name: compared(law) for name, compared in ORDERS.items()}
    data = {
        "law": {"words": law.words, "sentences": law.rows.tolist(), "weights": law.weights.tolist()},
        "perCall": PER_CALL,
        "curves": {
            name: [[round(one.calls, 6), round(one.valid, 6)] for one in found]
            for name, found in curves.items()
        },
    }
    shares = ", ".join(
        f"{n} a call {one.valid:.0%}" for n, one in zip(PER_CALL, curves["random"], strict=True)
    )
    alt = (
        "The share of sentences among texts, against the calls of the model, for four orders of unmasking. "
        f"In random order: {shares}."
    )
    return Part("unmask.mjs", "Masked text", data, drawn_curves(curves), alt)


def drawn_curves(curves: dict[str, list[Outcome]]) -> "Figure":
    """Sentences against calls."""
    from matplotlib.figure import Figure

    figure = Figure((5, 3), layout="constrained")
    axes = figure.subplots()
    for (name, found), style in zip(curves.items(), ("o-", "s--", "^:", "x"), strict=True):
        axes.plot([one.calls for one in found], [one.valid for one in found], style, label=name)
    axes.set(xlabel="calls of the model", ylabel="share of sentences", ylim=(0, 1.05))
    axes.legend(fontsize=8)
    return figure
