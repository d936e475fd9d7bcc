"""Networks, and networks only: net(x_t, t, class) -> a tensor like x_t. What it means, the denoiser knows."""

from .dit import DiT
from .mlp import MLP
from .unet import UNet

__all__ = ["MLP", "DiT", "UNet"]
