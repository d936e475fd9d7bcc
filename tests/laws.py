"""Data laws and exact solutions that several test files share."""

import torch
from torch import Tensor

from diffusion_lab.coefficients import Schedule
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.schedules import VE, VP, Cosine, Flow, Shifted, Table

SCHEDULES = {
    "vp": VP(),
    "cosine": Cosine(),
    "cosine, no offset": Cosine(offset=0.0),
    "ve": VE(),
    "flow": Flow(),
    "flow, shifted": Shifted(Flow(), 3.0),
    "vp, shifted": Shifted(VP(), 2.0),
    "ve, shifted": Shifted(VE(), 2.0),
    "linear table": Table.linear(101),
    "scaled-linear table": Table.scaled_linear(),
    "clipped cosine table": Table.cosine(97),
    "zero-SNR table": Table.scaled_linear().zero_snr(),
}
VARIANCE_PRESERVING = {k: s for k, s in SCHEDULES.items() if "flow" not in k and not k.startswith("ve")}

MEAN, STD = torch.tensor([[1.5, -0.5, 0.25]], dtype=torch.float64), 0.7


def one_gaussian() -> GaussianMixture:
    """N(MEAN, STD^2 I): its probability-flow ODE has a closed form."""
    return GaussianMixture.isotropic(MEAN, STD)


def exact_ode(schedule: Schedule, x: Tensor, t: float, s: float) -> Tensor:
    """Where the probability-flow ODE of `one_gaussian` carries x from t to s: whitened, x does not move."""
    ct, cs = schedule.at(t, x), schedule.at(s, x)
    std_t, std_s = ((c.a**2 * STD**2 + c.sigma**2) ** 0.5 for c in (ct, cs))
    return cs.a * MEAN + std_s / std_t * (x - ct.a * MEAN)


def mixture(rng: torch.Generator) -> GaussianMixture:
    """Five tilted components in three dimensions, two classes."""
    root = 0.4 * torch.randn(5, 3, 3, generator=rng, dtype=torch.float64)
    covs = root @ root.mT + 0.05 * torch.eye(3, dtype=torch.float64)
    weights = torch.tensor([0.1, 0.3, 0.2, 0.25, 0.15], dtype=torch.float64)
    means = 2 * torch.randn(5, 3, generator=rng, dtype=torch.float64)
    return GaussianMixture(means, covs, weights, torch.tensor([0, 0, 1, 1, 1]))
