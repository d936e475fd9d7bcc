"""A normalizing flow of affine couplings: exact likelihood and one pass, at the price of invertible layers.

y_1 = x_1,   y_2 = x_2 e^{s(x_1)} + m(x_1),   log |det| = s(x_1)   (Real NVP, eq. 4 to 6)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .layers import perceptron
from .vae import log_normal


class Coupling(nn.Module):
    """Layers that change one coordinate each, in turns; `to_noise` and `to_data` are inverse."""

    def __init__(self, layers: int = 8, width: int = 64, depth: int = 2):
        super().__init__()
        self.nets = nn.ModuleList(perceptron(1, 2, width, depth) for _ in range(layers))

    def to_noise(self, x: Float[Tensor, "b 2"]) -> tuple[Float[Tensor, "b 2"], Float[Tensor, "b"]]:
        """z and log |det dz/dx|."""
        log_det = torch.zeros_like(x[:, 0])
        for i, net in enumerate(self.nets):
            kept, moved = x[:, i % 2], x[:, 1 - i % 2]
            s, m = scale_and_shift(net, kept)
            x = placed(kept, moved * s.exp() + m, i % 2)
            log_det = log_det + s
        return x, log_det

    def to_data(self, z: Float[Tensor, "b 2"]) -> Float[Tensor, "b 2"]:
        """The inverse of `to_noise`."""
        for i, net in reversed(list(enumerate(self.nets))):
            kept, moved = z[:, i % 2], z[:, 1 - i % 2]
            s, m = scale_and_shift(net, kept)
            z = placed(kept, (moved - m) * (-s).exp(), i % 2)
        return z

    def log_prob(self, x0: Float[Tensor, "b 2"], rng: torch.Generator | None = None) -> Float[Tensor, "b"]:
        """log N(z; 0, I) + log |det dz/dx|, exact, in nats."""
        z, log_det = self.to_noise(x0)
        return log_normal(z) + log_det

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n 2"]:
        """One pass backwards."""
        dtype = next(self.parameters()).dtype
        return self.to_data(torch.randn(n, 2, generator=rng, dtype=dtype))


def scale_and_shift(
    net: nn.Module, kept: Float[Tensor, "b"]
) -> tuple[Float[Tensor, "b"], Float[Tensor, "b"]]:
    """s within -2 .. 2, so that no layer can blow up, and m."""
    s, m = net(kept[:, None]).unbind(1)
    return 2 * torch.tanh(s / 2), m


def placed(kept: Float[Tensor, "b"], moved: Float[Tensor, "b"], first: int) -> Float[Tensor, "b 2"]:
    """Both coordinates back in their places."""
    return torch.stack([moved, kept] if first else [kept, moved], 1)
