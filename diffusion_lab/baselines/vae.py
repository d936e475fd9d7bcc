"""A variational autoencoder with a Gaussian decoder of one learned variance.

log p(x) >= E_q(z|x)[log p(x | z)] - KL(q(z | x) || N(0, I))   (Kingma & Welling 2014, eq. 3)
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .layers import perceptron


class VAE(nn.Module):
    """Encoder and decoder are perceptrons; z = mean + std * noise carries the gradient.

    The decoder's deviation starts below the data's: from 1 it explains everything as noise, and the posterior
    collapses onto the prior.
    """

    def __init__(self, latent: int = 2, width: int = 128, depth: int = 3):
        super().__init__()
        self.latent = latent
        self.encoder, self.decoder = (
            perceptron(2, 2 * latent, width, depth),
            perceptron(latent, 2, width, depth),
        )
        self.log_std = nn.Parameter(torch.full((), -1.5))

    def log_prob(self, x0: Float[Tensor, "b 2"], rng: torch.Generator, k: int = 1) -> Float[Tensor, "b"]:
        """A lower bound in nats, from k draws of z: the ELBO at k = 1, and with growing k ever nearer to
        log p(x_0)   (Burda et al. 2016, eq. 8)."""
        mean, log_std = self.encoder(x0).chunk(2, 1)
        noise = torch.randn(k, *mean.shape, generator=rng, device=x0.device, dtype=x0.dtype)
        z = mean + log_std.exp() * noise
        weights = self.log_decoder(x0, z) + log_normal(z) - (log_normal(noise) - log_std.sum(1))
        return weights.logsumexp(0) - math.log(k)

    def log_decoder(self, x0: Float[Tensor, "b 2"], z: Float[Tensor, "k b l"]) -> Float[Tensor, "k b"]:
        """log p(x_0 | z)."""
        return log_normal((x0 - self.decoder(z)) / self.log_std.exp()) - 2 * self.log_std

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n 2"]:
        """x ~ p(x | z), z ~ N(0, I): the decoder's noise belongs to the model."""
        z = torch.randn(n, self.latent, generator=rng, dtype=self.log_std.dtype)
        noise = torch.randn(n, 2, generator=rng, dtype=self.log_std.dtype)
        x: Tensor = self.decoder(z) + self.log_std.exp() * noise
        return x


def log_normal(z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
    """log N(z; 0, I)."""
    return -(z.square() + math.log(2 * math.pi)).sum(-1) / 2
