"""Forward processes q(x_t | x_0) and their exact reversals q(x_s | x_t, x_0), s < t.

Noise is an argument, never drawn inside a formula: with it held fixed, x_t is a deterministic function
of t, which is what a slider, a test and a resumed run all want.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .coefficients import Coef, Number, Schedule
from .targets import Prediction, mix


@runtime_checkable
class Process(Protocol):
    """What samplers and losses need of a corruption, be it of numbers or of tokens."""

    @property
    def schedule(self) -> Schedule: ...

    def noise(self, like: Tensor, rng: torch.Generator | None = None) -> Any:
        """Everything random about one corruption of `like`."""

    def prior(self, noise: Any, t: float = 1.0) -> Tensor:
        """x_t at the noisy end, made of noise alone."""

    def diffuse(self, x0: Tensor, t: Number, noise: Any) -> Tensor:
        """x_t ~ q(x_t | x_0)."""

    def reverse(self, x: Tensor, pred: Any, t: float, s: float, noise: Any) -> Tensor:
        """x_s ~ q(x_s | x_t, x_0), with what the model believes about x_0."""


@dataclass(frozen=True)
class Gaussian:
    """x_t = a_t x_0 + sigma_t eps."""

    schedule: Schedule

    def noise(self, like: Float[Tensor, "b *d"], rng: torch.Generator | None = None) -> Float[Tensor, "b *d"]:
        """eps ~ N(0, I), on the device of `like`."""
        return torch.randn(like.shape, generator=rng, device=like.device, dtype=like.dtype)

    def prior(self, noise: Float[Tensor, "b *d"], t: float = 1.0) -> Float[Tensor, "b *d"]:
        """sigma_t eps: the a_t x_0 that is left at the end is neglected, which is the price of a finite
        path."""
        return self.schedule.at(t, noise).sigma * noise

    def diffuse(
        self, x0: Float[Tensor, "b *d"], t: Number, noise: Float[Tensor, "b *d"]
    ) -> Float[Tensor, "b *d"]:
        """DDPM eq. 4."""
        c = self.schedule.at(t, x0)
        return c.a * x0 + c.sigma * noise

    def fresh(self, t: Number, s: Number, like: Tensor) -> Number:
        """The part of x_s's noise that x_t knows nothing of, in [0, 1]: the standard deviation of
        q(x_s | x_t, x_0) is fresh * sigma_s   (DDPM eq. 7, beta-tilde)."""
        return _fresh(self.schedule.at(t, like), self.schedule.at(s, like))

    def added(self, t: Number, s: Number, like: Tensor) -> Number:
        """Standard deviation of q(x_t | x_s), the noise the forward process adds between s and t
        (DDPM eq. 2: sqrt(beta_t))."""
        return self.schedule.at(t, like).sigma * self.fresh(t, s, like)

    def reverse(
        self,
        x: Tensor,
        pred: Prediction,
        t: float,
        s: float,
        noise: Float[Tensor, "b *d"],
        eta: float = 1.0,
    ) -> Float[Tensor, "b *d"]:
        """x_s = a_s x_0 + sqrt(sigma_s^2 - f^2) eps + f z     (DDIM eq. 12)

        f is the part of the noise that is drawn afresh: eta = 0 none (DDIM), eta = 1 what the forward
        process makes independent (DDPM), eta = inf all of it (the multistep consistency sampler).
        pred.large replaces f by f^(1 - large) added^large in the last term, with `added` = sigma_t fresh:
        DDPM's larger variance and iDDPM's learned one (eq. 15).
        """
        ct, cs = self.schedule.at(t, x), self.schedule.at(s, x)
        fresh = _fresh(ct, cs)
        f = cs.sigma * min(1.0, eta * fresh)
        mean = pred.combine(cs.a, (cs.sigma**2 - f**2) ** 0.5)
        if f == 0:
            return mean
        return mix(1.0, mean, f ** (1 - pred.large) * (ct.sigma * fresh) ** pred.large, noise)


def _fresh(ct: Coef, cs: Coef) -> Number:
    return (1 - (ct.a * cs.sigma / (cs.a * ct.sigma)) ** 2) ** 0.5


class TokenNoise(NamedTuple):
    """A token with u < a_t stays, any other becomes z, a draw from the prior."""

    u: Float[Tensor, "b l"]
    z: Int[Tensor, "b l"]


@dataclass(frozen=True, eq=False)
class Categorical:
    """x_t = x_0 with probability a_t, else a draw from `prior` (v,), independently per token   (D3PM section
    3).

    A one-hot prior at the mask id is absorbing diffusion (D3PM-absorb, MDLM, SEDD-absorb); a uniform one
    is D3PM-uniform and SEDD-uniform.
    """

    schedule: Schedule
    prior_probs: Float[Tensor, "v"]

    @classmethod
    def masked(cls, schedule: Schedule, vocab: int) -> "Categorical":
        """The mask is token id `vocab`; probabilities then have vocab + 1 entries."""
        return cls(schedule, torch.eye(vocab + 1)[vocab])

    @classmethod
    def uniform(cls, schedule: Schedule, vocab: int) -> "Categorical":
        """Any token, with the same probability."""
        return cls(schedule, torch.full((vocab,), 1 / vocab))

    @property
    def mask(self) -> int | None:
        """Id of the absorbing token, if there is one."""
        return int(self.prior_probs.argmax()) if self.prior_probs.max() == 1 else None

    def is_masked(self, x: Int[Tensor, "b l"]) -> Bool[Tensor, "b l"]:
        """Which tokens are hidden."""
        if self.mask is None:
            raise ValueError("this process has no mask: masked losses need `Categorical.masked`.")
        return x.eq(self.mask)

    def noise(self, like: Int[Tensor, "b l"], rng: torch.Generator | None = None) -> TokenNoise:
        """u ~ U(0, 1) and z ~ prior for every token."""
        u = torch.rand(like.shape, generator=rng, device=like.device, dtype=torch.float64)
        weights = self.prior_probs.to(like.device)
        return TokenNoise(u, torch.multinomial(weights, like.numel(), True, generator=rng).view(like.shape))

    def prior(self, noise: TokenNoise, t: float = 1.0) -> Int[Tensor, "b l"]:
        """Nothing is left of x_0."""
        return noise.z

    def diffuse(self, x0: Int[Tensor, "b l"], t: Number, noise: TokenNoise) -> Int[Tensor, "b l"]:
        """D3PM eq. 3's q(x_t | x_0), one token at a time."""
        return torch.where(noise.u < self.schedule.at(t, x0).a, x0, noise.z)

    def reverse_probs(
        self, x: Int[Tensor, "b l"], p0: Float[Tensor, "b l v"], t: Number, s: Number
    ) -> Float[Tensor, "b l v"]:
        """p(x_s | x_t) = sum_{x_0} q(x_s | x_t, x_0) p(x_0 | x_t), in O(v) per token   (D3PM eq. 3 and 4)."""
        a_t, a_s = self.schedule.at(t, p0).a, self.schedule.at(s, p0).a
        pi, here = self.prior_probs.to(p0), F.one_hot(x, p0.shape[-1])
        pi_x = pi[x][..., None]
        q_t = a_t * here + (1 - a_t) * pi_x  # q(x_t | x_0 = k) for every k
        w = torch.where(q_t > 0, p0 / q_t, 0.0)
        r = a_t / a_s
        return (r * here + (1 - r) * pi_x) * (a_s * w + (1 - a_s) * pi * w.sum(-1, keepdim=True))

    def reverse(
        self,
        x: Int[Tensor, "b l"],
        log_p0: Float[Tensor, "b l v"],
        t: float,
        s: float,
        noise: TokenNoise,
    ) -> Int[Tensor, "b l"]:
        """A draw from `reverse_probs` by inverting its cumulative sum at u, in float64: rounding u to float32
        truncates the tails and flatters the samples (Zheng et al. 2024, arXiv 2409.02908)."""
        cdf = self.reverse_probs(x, log_p0.double().exp(), t, s).cumsum(-1)
        u = noise.u[..., None] * cdf[..., -1:]
        return torch.searchsorted(cdf, u, right=True).squeeze(-1).clamp(max=cdf.shape[-1] - 1)
