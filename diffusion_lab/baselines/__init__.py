"""What diffusion is compared with in an interview, each in one file and trained by the same `Trainer`:
a VAE, a GAN, an autoregressive model and a normalizing flow, for points in the plane."""

from .autoregressive import Autoregressive
from .coupling import Coupling
from .gan import GAN
from .objectives import Adversarial, Likelihood
from .vae import VAE

__all__ = ["GAN", "VAE", "Adversarial", "Autoregressive", "Coupling", "Likelihood"]
