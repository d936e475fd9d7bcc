"""Latent diffusion: a codec on both sides of an ordinary diffusion model.

    codec = zoo.denoiser("digits32-vae")                   # pictures (b, 1, 32, 32) <-> latents (b, 4, 8, 8)
    steps = trajectory(latent_model, (16, 4, 8, 8), labels, null=10)
    for step in decoded(steps, codec): ...                   # the same walk, seen as pictures

Training knows nothing of it: data are encoded once, before the first step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .models.vae import Autoencoder
from .steps import Step


@runtime_checkable
class Codec(Protocol):
    """Two maps between data and the space where diffusion happens."""

    def encode(self, x: Tensor) -> Tensor: ...

    def decode(self, z: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Belief:
    """What a model of latents believes the picture to be. Nothing else of its prediction can be decoded."""

    x0: Float[Tensor, "b *d"]


@torch.no_grad()
def decoded(steps: Iterable[Step], codec: Codec) -> Iterator[Step]:
    """The steps of a latent sampler as pictures: x_t decoded, though a decoder never learned noisy latents,
    and x_0_hat decoded, as a `Belief`."""
    for step in steps:
        guess = None if step.pred is None else Belief(codec.decode(step.pred.x0))
        yield Step(step.t, codec.decode(step.x), guess)


@torch.no_grad()
def encoded(x: Float[Tensor, "n *d"], codec: Codec, batch: int = 128) -> Float[Tensor, "n *k"]:
    """A whole data set as latents, a batch at a time."""
    return torch.cat([codec.encode(part) for part in x.split(batch)])


def calibrate(autoencoder: Autoencoder, x: Float[Tensor, "n c h w"]) -> float:
    """Set the scale factor to 1 / std of all latent values of x, so that diffusion meets unit variance
    (latent diffusion, appendix G; 0.18215 in Stable Diffusion 1). Returns it."""
    autoencoder.scale.fill_(1.0)
    z = encoded(x, autoencoder)
    spread = float(z.std())
    if not spread > 0:
        raise ValueError("all latents are the same number: the autoencoder is not trained, or x is constant.")
    autoencoder.scale.fill_(1 / spread)
    return 1 / spread


class Saved(NamedTuple):
    """How many times fewer values, positions and pairs of positions (self-attention at full size) there
    are."""

    values: float
    positions: float
    pairs: float


def saved(pixels: tuple[int, int, int], latent: tuple[int, int, int]) -> Saved:
    """(c, h, w) of picture and latent -> what the latent saves. (3, 512, 512) to (4, 64, 64): 48, 64,
    4096."""
    (c, h, w), (k, i, j) = pixels, latent
    positions = h * w / (i * j)
    return Saved(positions * c / k, positions, positions**2)


class Reconstruction(nn.Module):
    """The autoencoder's loss: mean |x - x_hat|, as much again for `edges`, and the bottleneck's price per
    value.

    An objective of `training.Trainer`: the autoencoder trains in the same loop as everything else.
    """

    def __init__(self, model: Autoencoder, edge_weight: float = 1.0):
        super().__init__()
        self.model, self.edge_weight = model, edge_weight

    def forward(self, x0: Float[Tensor, "b c h w"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        shape = self.model.latent_shape(x0)
        noise = torch.randn(shape, generator=rng, device=x0.device, dtype=x0.dtype)
        made = self.model(x0, noise)
        pixels = (made.x - x0).abs().flatten(1).mean(1)
        return pixels + self.edge_weight * edges(made.x, x0) + made.price / x0[0].numel()


def edges(x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"], levels: int = 3) -> Float[Tensor, "b"]:
    """Mean |difference| of two Laplacian pyramids, summed over levels: a stand-in for a perceptual distance.

    Each level holds what the next coarser one cannot say. Misplaced and softened edges cost at every scale,
    which plain pixels underrate. It knows nothing of texture or meaning, as features of a trained network
    would. (Bojanowski et al. 2018, section 3.2, use it for the same purpose.)
    """
    d, total = x - y, x.new_zeros(len(x))  # the pyramid is linear: one of the difference will do
    for _ in range(levels):
        small = F.avg_pool2d(d, 2)
        total = total + (d - F.interpolate(small, scale_factor=2.0)).abs().flatten(1).mean(1)
        d = small
    return total


def psnr(x: Float[Tensor, "n c h w"], y: Float[Tensor, "n c h w"]) -> float:
    """10 log10(4 / mean squared error) in decibels, for pictures in [-1, 1]."""
    error = float((x - y).double().square().mean())
    return float("inf") if error == 0 else 10 * float(torch.tensor(4 / error).log10())
