"""A small convolutional autoencoder for latent diffusion, with a KL-weighted or a vector-quantised
bottleneck.

Rombach et al. 2022 (section 3.1, appendix G). Two terms of their loss are not here. A patch discriminator
makes a decoder invent texture where a mean would be blurred, which needs texture and long training; line
drawings of 32 pixels have none. The perceptual term compares features of a network trained on photographs;
`latent.Reconstruction` has a stand-in that needs no download.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class Coded(NamedTuple):
    """A latent, and what its bottleneck charges for each example."""

    z: Float[Tensor, "b c h w"]
    price: Float[Tensor, "b"]


class KL(nn.Module):
    """z = mean + std noise; price: weight KL( N(mean, std^2) || N(0, 1) ) in nats   (Kingma & Welling 2014,
    eq. 10). With a small weight this is a regularised autoencoder: decoding N(0, 1) gives no picture."""

    def __init__(self, channels: int, weight: float = 1e-3):
        super().__init__()
        self.inputs, self.weight = 2 * channels, weight

    def mode(self, h: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """The mean: what diffusion is trained on."""
        return h.chunk(2, 1)[0]

    def forward(self, h: Float[Tensor, "b k h w"], noise: Float[Tensor, "b c h w"]) -> Coded:
        mean, log_var = h.chunk(2, 1)
        log_var = log_var.clamp(-20, 10)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var)
        return Coded(mean + (log_var / 2).exp() * noise, self.weight * kl.flatten(1).sum(1))


class VQ(nn.Module):
    """z = the nearest of `codes` vectors, with the gradient of h itself; price: squared distance that pulls
    codes to h, and weight times that which holds h to its code   (van den Oord et al. 2017, eq. 3)."""

    def __init__(self, channels: int, codes: int = 256, weight: float = 0.25):
        super().__init__()
        self.inputs, self.weight = channels, weight
        self.codes = nn.Parameter(torch.randn(codes, channels))

    def indices(self, h: Float[Tensor, "b c h w"]) -> Int[Tensor, "b h w"]:
        """The number of the nearest code at every place: an image as tokens."""
        return torch.cdist(h.movedim(1, -1).flatten(0, 2), self.codes).argmin(1).view(h[:, 0].shape)

    def mode(self, h: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The nearest code."""
        return self.codes[self.indices(h)].movedim(-1, 1)

    def forward(self, h: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"]) -> Coded:
        code = self.mode(h)
        price = (code - h.detach()).square() + self.weight * (h - code.detach()).square()
        return Coded(h + (code - h).detach(), price.flatten(1).sum(1))


class Reconstruction(NamedTuple):
    """What an autoencoder made of x in training."""

    x: Float[Tensor, "b c h w"]
    price: Float[Tensor, "b"]


class Autoencoder(nn.Module):
    """Images (b, c, h, w) <-> latents (b, latent_channels, h / f, w / f), f = 2^(levels - 1).

    bottleneck: number of latent channels -> `KL` or `VQ`. channels, multipliers: as in `UNet`.
    `scale` multiplies latents on their way out, so that diffusion meets unit variance; `latent.calibrate`
    sets it.
    """

    scale: Tensor

    def __init__(
        self,
        in_channels: int = 1,
        latent_channels: int = 4,
        *,
        channels: int = 16,
        multipliers: Sequence[int] = (1, 2, 3),
        groups: int = 8,
        bottleneck: Callable[[int], KL | VQ] = KL,
    ):
        super().__init__()
        self.in_channels, self.latent_channels = in_channels, latent_channels
        self.factor = 2 ** (len(multipliers) - 1)
        self.bottleneck = bottleneck(latent_channels)
        widths = [channels * m for m in multipliers]
        self.encoder = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 3, padding=1),
            *[stage for n, m in pairwise(widths) for stage in (Residual(n, groups), halved(n, m))],
            Residual(widths[-1], groups),
            nn.GroupNorm(groups, widths[-1]),
            nn.SiLU(),
            nn.Conv2d(widths[-1], self.bottleneck.inputs, 1),
        )
        widths = widths[::-1]
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, widths[0], 3, padding=1),
            *[stage for n, m in pairwise(widths) for stage in (Residual(n, groups), doubled(n, m))],
            Residual(widths[-1], groups),
            nn.GroupNorm(groups, widths[-1]),
            nn.SiLU(),
            nn.Conv2d(widths[-1], in_channels, 3, padding=1),
        )
        self.register_buffer("scale", torch.ones(()))

    def encode(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h2 w2"]:
        """scale times the mode of the bottleneck."""
        return self.scale * self.bottleneck.mode(self.hidden(x))

    def decode(self, z: Float[Tensor, "b k h2 w2"]) -> Float[Tensor, "b c h w"]:
        """The picture of a scaled latent."""
        if z.ndim != 4 or z.shape[1] != self.latent_channels:
            raise ValueError(
                f"a latent of shape {tuple(z.shape)}: this decoder takes (batch, {self.latent_channels}, "
                "height, width)."
            )
        return self.decoder(z / self.scale)

    def forward(self, x: Float[Tensor, "b c h w"], noise: Float[Tensor, "b k h2 w2"]) -> Reconstruction:
        z, price = self.bottleneck(self.hidden(x), noise)
        return Reconstruction(self.decoder(z), price)

    def latent_shape(self, x: Float[Tensor, "b c h w"]) -> tuple[int, int, int, int]:
        """The shape of the latent of x."""
        b, _, h, w = x.shape
        return b, self.latent_channels, h // self.factor, w // self.factor

    def hidden(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k2 h2 w2"]:
        """What the bottleneck gets."""
        fits = x.ndim == 4 and x.shape[1] == self.in_channels
        if not fits or x.shape[2] % self.factor or x.shape[3] % self.factor:
            raise ValueError(
                f"an image of shape {tuple(x.shape)}: this encoder takes (batch, {self.in_channels}, h, w) "
                f"with both sides multiples of {self.factor}."
            )
        return self.encoder(x)


class Residual(nn.Module):
    """h + conv(act(norm(conv(act(norm(h)))))), at one size and width."""

    def __init__(self, n: int, groups: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, n), nn.GroupNorm(groups, n)
        self.conv1, self.conv2 = nn.Conv2d(n, n, 3, padding=1), nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


def halved(n: int, m: int) -> nn.Module:
    """Half the size, n channels to m."""
    return nn.Conv2d(n, m, 3, stride=2, padding=1)


def doubled(n: int, m: int) -> nn.Module:
    """Twice the size, n channels to m."""
    return nn.Sequential(nn.Upsample(scale_factor=2.0), nn.Conv2d(n, m, 3, padding=1))
