"""Second thoughts: a masked process that may hide again what it has shown   (ReMDM: Wang et al. 2025, arXiv
2503.00307).

MDLM never revises a token: an early mistake stays. Every eta below keeps the marginals q(x_s | x_0), as eta
does in DDIM, so the same trained model serves.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..coefficients import Number
from ..denoisers import Denoise, Rule
from ..processes import Categorical


@dataclass(frozen=True, eq=False)
class Remasking(Categorical):
    """A shown token is hidden again with probability eta min(1, (1 - a_s) / a_t), the most that the marginals
    allow: eta = 0 is MDLM."""

    eta: float = 0.0

    def reverse_probs(
        self, x: Int[Tensor, "b l"], p0: Float[Tensor, "b l v"], t: Number, s: Number
    ) -> Float[Tensor, "b l v"]:
        """ReMDM eq. 4. With r the probability to hide a shown token, a hidden one is shown with
        (a_s - (1 - r) a_t) / (1 - a_t)."""
        a_t, a_s = (torch.as_tensor(self.schedule.at(u, p0).a).to(p0) for u in (t, s))
        r = self.eta * ((1 - a_s) / a_t.clamp(min=1e-12)).clamp(max=1)
        show = (a_s - (1 - r) * a_t) / (1 - a_t)
        hidden = self.is_masked(x)[..., None]
        mask = self.prior_probs.to(p0)
        kept = torch.where(hidden, show * p0, (1 - r) * F.one_hot(x, p0.shape[-1]))
        return kept + torch.where(hidden, 1 - show, r) * mask


def revising(denoise: Denoise, eta: float) -> Rule:
    """The same predictions, sampled with remasking. Worth its extra steps: give more of them than tokens."""
    if not 0 <= eta <= 1:
        raise ValueError(f"eta = {eta}: give the share of the largest possible remasking, from 0 to 1.")
    process = denoise.process
    if process.mask is None:
        raise ValueError("this process has no mask: it revises by itself at every step.")
    return Rule(Remasking(process.schedule, process.prior_probs, eta), denoise)
