"""The autoregressive twin at work: its likelihood, exact and cheap, and its samples, one token at a time."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..models.text import Causal


def nll(twin: Causal, x: Int[Tensor, "b l"]) -> Float[Tensor, "b"]:
    """-log p(x) = sum_i -log p(x_i | x_<i), nats per sequence."""
    return -twin(x).gather(-1, x[..., None]).squeeze(-1).sum(1)


class Likelihood(nn.Module):
    """The twin's training loss: an objective for `Trainer`."""

    def __init__(self, model: Causal):
        super().__init__()
        self.model = model

    def forward(self, x0: Int[Tensor, "b l"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        """Nothing is random here."""
        return nll(self.model, x0)


def written(
    twin: Causal, prefix: Int[Tensor, "b n"], rng: torch.Generator | None = None, temperature: float = 1.0
) -> Int[Tensor, "b l"]:
    """Go on from a prefix (b, 0 or more tokens) to the full length."""
    *_, x = writing(twin, prefix, rng, temperature)
    return x


@torch.no_grad()
def writing(
    twin: Causal, prefix: Int[Tensor, "b n"], rng: torch.Generator | None = None, temperature: float = 1.0
) -> Iterator[Int[Tensor, "b m"]]:
    """The text after every new token. Keys and values are kept, so a token costs one token's work."""
    if prefix.shape[1] >= twin.length:
        raise ValueError(
            f"the prefix has {prefix.shape[1]} tokens and the twin writes {twin.length}: nothing is left."
        )
    start = torch.full((len(prefix), 1), twin.vocab, device=prefix.device)
    x, read, past = prefix, torch.cat([start, prefix], 1), None
    while x.shape[1] < twin.length:
        log_p, past = twin.after(read, past)
        p = (log_p[:, -1].double() / temperature).softmax(-1)
        read = torch.multinomial(p, 1, generator=rng)
        x = torch.cat([x, read], 1)
        yield x
