"""Which noise goes with which data point: the coupling of flow matching.

    objective = FlowMatching(model, uniform_law(), coupling=minibatch_ot)

Any pairing that keeps both marginals gives a flow from noise to data; pairs that lie close give straighter
ones. Reflow takes the pairs that an ODE makes itself.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from .denoisers import Denoise, Denoiser
from .grids import Law
from .losses import denoising
from .samplers import ddim, final
from .seeds import rng_at
from .steps import Times

Coupling = Callable[[Float[Tensor, "b *d"], Float[Tensor, "b *d"]], Float[Tensor, "b *d"]]
"""(x_0, noise) -> the same noise in the order of its partners."""


def independent(x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"]) -> Float[Tensor, "b *d"]:
    """As they come."""
    return noise


def minibatch_ot(x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"]) -> Float[Tensor, "b *d"]:
    """The pairing of a batch that moves least, in squared distance   (Tong et al. 2024, section 3.2;
    Pooladian et al. 2023). Costs b^3: keep batches below about a thousand.

    With a condition it pairs across conditions, which bends the conditional laws: use it without one.
    """
    cost = torch.cdist(x0.flatten(1).double(), noise.flatten(1).double()).square()
    _, partner = linear_sum_assignment(cost.cpu().numpy())
    return noise[torch.as_tensor(partner, device=noise.device)]


def transport_cost(x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"]) -> float:
    """Mean squared distance of the pairs."""
    return (x0 - noise).flatten(1).square().sum(1).mean().item()


class FlowMatching(nn.Module):
    """|| y - net(x_t, t) ||^2 with x_0 and eps paired by `coupling`; independent is plain flow matching
    (Lipman et al. 2023, section 4)."""

    def __init__(self, model: Denoiser, law: Law, coupling: Coupling = independent):
        super().__init__()
        self.model, self.law, self.coupling = model, law, coupling

    def forward(self, x0: Float[Tensor, "b *d"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        t = self.law(len(x0), rng)
        noise = self.coupling(x0, self.model.process.noise(x0, rng))
        return denoising(self.model, x0, t, noise, cond)


class Reflow(nn.Module):
    """Flow matching on pairs: each x_0 comes with its noise in the place of a condition   (Liu et al. 2023,
    algorithm 1)."""

    def __init__(self, model: Denoiser, law: Law):
        super().__init__()
        self.model, self.law = model, law

    def forward(
        self, x0: Float[Tensor, "b *d"], noise: Float[Tensor, "b *d"], rng: torch.Generator
    ) -> Float[Tensor, "b"]:
        return denoising(self.model, x0, self.law(len(x0), rng), noise)


class Pairs(NamedTuple):
    """Noise and where the ODE carries it."""

    x0: Float[Tensor, "n *d"]
    noise: Float[Tensor, "n *d"]


@torch.no_grad()
def reflow_pairs(denoise: Denoise, noise: Float[Tensor, "n *d"], ts: Times, batch: int = 4096) -> Pairs:
    """Every noise with the end of its probability-flow ODE, which DDIM follows along `ts`: on the straight
    path that is Euler."""
    ends = [final(ddim(denoise, part, ts)) for part in noise.split(batch)]
    return Pairs(torch.cat(ends), noise)


def pair_batches(pairs: Pairs, batch: int, seed: int = 0) -> Callable[[int], tuple[Tensor, Tensor]]:
    """step -> a random batch of pairs."""

    def draw(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(pairs.x0), (batch,), generator=rng_at("pairs", seed, step))
        return pairs.x0[rows], pairs.noise[rows]

    return draw
