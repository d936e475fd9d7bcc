"""An autoregressive model of a point: its first coordinate, then the second given the first.

    log p(x) = log p(x_1) + log p(x_2 | x_1)

Each coordinate is one of `bins` intervals, as a pixel is one of 256 values, and uniform within it.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .layers import perceptron


class Autoregressive(nn.Module):
    """Bins over [-limit, limit]; a point outside is put into the nearest one."""

    def __init__(self, bins: int = 101, limit: float = 4.0, width: int = 128, depth: int = 3):
        super().__init__()
        self.bins, self.limit = bins, limit
        self.first = nn.Parameter(torch.zeros(bins))
        self.second = perceptron(8, bins, width, depth)

    def log_prob(self, x0: Float[Tensor, "b 2"], rng: torch.Generator | None = None) -> Float[Tensor, "b"]:
        """Exact for the binned density, in nats."""
        one, two = self.binned(x0).unbind(1)
        log_p = self.first.log_softmax(0)[one]
        log_p = log_p + self.second(self.features(one)).log_softmax(1).gather(1, two[:, None])[:, 0]
        return log_p - 2 * math.log(2 * self.limit / self.bins)

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n 2"]:
        """Two passes, one per coordinate: as many as there are coordinates."""
        one = self.first.softmax(0).multinomial(n, replacement=True, generator=rng)
        two = self.second(self.features(one)).softmax(1).multinomial(1, generator=rng)[:, 0]
        inside = torch.rand(n, 2, generator=rng, dtype=self.first.dtype)
        return (torch.stack([one, two], 1) + inside) * (2 * self.limit / self.bins) - self.limit

    def binned(self, x: Float[Tensor, "b 2"]) -> Int[Tensor, "b 2"]:
        """The interval of each coordinate."""
        return ((x + self.limit) * (self.bins / (2 * self.limit))).floor().long().clamp(0, self.bins - 1)

    def features(self, one: Int[Tensor, "b"]) -> Float[Tensor, "b 8"]:
        """Sines and cosines of the bin's place at four frequencies."""
        place = (one + 0.5)[:, None].to(self.first.dtype) * (math.pi / self.bins)
        angles = place * 2.0 ** torch.arange(4, dtype=self.first.dtype)
        return torch.cat([angles.sin(), angles.cos()], 1)
