"""Losses of the baselines, in the shape that `training.Trainer` asks for."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from .gan import GAN


class Likelihood(nn.Module):
    """-log p(x_0), or minus its lower bound: for every model with `log_prob(x0, rng)`."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, x0: Float[Tensor, "b 2"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        return -self.model.log_prob(x0, rng)


class Adversarial(nn.Module):
    """Both players in one step: the critic on frozen samples, the generator against a frozen critic.

    Non-saturating losses (Goodfellow et al. 2014, section 3), with the zero-centred gradient penalty
    gamma / 2 |grad D|^2 at real and generated points (Mescheder et al. 2018, R1 and R2).
    """

    def __init__(self, model: GAN, gamma: float = 0.0):
        super().__init__()
        self.model, self.gamma = model, gamma

    def forward(self, x0: Float[Tensor, "b 2"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        fake = self.model.sample(len(x0), rng)
        frozen = {name: p.detach() for name, p in self.model.critic.named_parameters()}
        generator = F.softplus(-functional_call(self.model.critic, frozen, (fake,)))
        penalised = self.gamma > 0
        real, fake = x0.detach().requires_grad_(penalised), fake.detach().requires_grad_(penalised)
        at_real, at_fake = self.model.critic(real), self.model.critic(fake)
        loss = generator + F.softplus(-at_real) + F.softplus(at_fake)
        if penalised:
            slopes = torch.autograd.grad(at_real.sum() + at_fake.sum(), (real, fake), create_graph=True)
            loss = loss + self.gamma / 2 * torch.cat(slopes, 1).square().sum(1, keepdim=True)
        return loss[:, 0]
