"""A generator and a critic: one pass from noise to a sample, and no likelihood."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .layers import perceptron


class GAN(nn.Module):
    """Samples are generator(z), z ~ N(0, I) in `latent` dimensions; the critic returns a logit per point."""

    def __init__(self, latent: int = 2, width: int = 128, depth: int = 3):
        super().__init__()
        self.latent = latent
        self.generator, self.critic = perceptron(latent, 2, width, depth), perceptron(2, 1, width, depth)

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n 2"]:
        """One forward pass."""
        weight = next(self.parameters())
        z = torch.randn(n, self.latent, generator=rng, device=weight.device, dtype=weight.dtype)
        x: Tensor = self.generator(z)
        return x
