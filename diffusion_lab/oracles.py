"""Perfect denoisers: data laws whose E[x_0 | x_t] is known in closed form.

They make every sampler, guidance rule and metric testable against the truth, and every widget run without
a trained network.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from .coefficients import Number
from .denoisers import Rule
from .processes import Categorical, Gaussian
from .targets import TARGETS, Prediction


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """sum_k w_k N(mean_k, cov_k), each component with a class label.

    means (k, d), covs (k, d, d), weights (k,) that sum to 1, labels (k,) in 0..n_classes-1. A condition is a
    tensor of labels (b,); `null` stands for no condition.
    """

    means: Float[Tensor, "k d"]
    covs: Float[Tensor, "k d d"]
    weights: Float[Tensor, "k"]
    labels: Int[Tensor, "k"]

    @classmethod
    def isotropic(
        cls,
        means: Float[Tensor, "k d"],
        std: float,
        weights: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> "GaussianMixture":
        """Round components of one size; equal weights and one class each unless given."""
        k, d = means.shape
        covs = (std**2 * torch.eye(d).to(means)).expand(k, d, d)
        weights = torch.full((k,), 1 / k).to(means) if weights is None else weights
        return cls(means, covs, weights, torch.arange(k, device=means.device) if labels is None else labels)

    @classmethod
    def ring(
        cls, k: int = 8, radius: float = 2.0, std: float = 0.15, dtype: torch.dtype | None = None
    ) -> "GaussianMixture":
        """k modes on a circle: the standard toy of mode coverage."""
        angle = torch.arange(k, dtype=dtype or torch.get_default_dtype()) * (2 * math.pi / k)
        return cls.isotropic(radius * torch.stack([angle.cos(), angle.sin()], 1), std)

    @property
    def null(self) -> int:
        """The label that means "no condition"."""
        return int(self.labels.max()) + 1

    def sample(
        self, n: int, rng: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n d"], Int[Tensor, "n"]]:
        """Points and their labels."""
        k = torch.multinomial(self.weights, n, True, generator=rng)
        z = torch.randn(
            n, self.means.shape[1], generator=rng, dtype=self.means.dtype, device=self.means.device
        )
        factor = torch.linalg.cholesky(self.covs)[k]
        return self.means[k] + (factor @ z[..., None]).squeeze(-1), self.labels[k]

    @cached_property
    def _eigen(self) -> tuple[Tensor, Tensor]:
        """Variances (k, d) along axes (k, d, d): noise is round, so it keeps each component's axes."""
        return torch.linalg.eigh(self.covs)

    def _noised(self, process: Gaussian, x: Tensor, t: Number) -> tuple[Tensor, Tensor]:
        """log w_k N(x; a mean_k, a^2 cov_k + sigma^2 I) as (b, k), and E[x_0 | x_t, k] as (b, k, d)."""
        c, (var, axes) = process.schedule.at(t, x[:, None]), self._eigen
        z = torch.einsum("kde,bkd->bke", axes, x[:, None] - c.a * self.means)
        noisy = c.a**2 * var + c.sigma**2
        log_p = -0.5 * (z**2 / noisy + torch.log(noisy) + math.log(2 * math.pi)).sum(-1)
        x0 = self.means + torch.einsum("kde,bke->bkd", axes, c.a * var / noisy * z)
        return self.weights.log() + log_p, x0

    def log_prob(self, process: Gaussian, x: Float[Tensor, "b d"], t: Number) -> Float[Tensor, "b"]:
        """log q(x_t), normalised."""
        return self._noised(process, x, t)[0].logsumexp(-1)

    def class_log_prob(self, process: Gaussian, x: Float[Tensor, "b d"], t: Number) -> Float[Tensor, "b c"]:
        """log p(label | x_t): the exact classifier of noisy points."""
        joint = self._noised(process, x, t)[0]
        own = self.labels == torch.arange(self.null, device=x.device)[:, None]  # (c, k)
        return joint[:, None].masked_fill(~own, -torch.inf).logsumexp(-1).log_softmax(-1)

    def denoiser(self, process: Gaussian) -> Rule:
        """E[x_0 | x_t], or E[x_0 | x_t, label] where a condition is given."""

        def denoise(x: Tensor, t: Number, cond: Tensor | None = None) -> Prediction:
            joint, x0 = self._noised(process, x, t)
            if cond is not None:
                cond = cond.expand(len(x))[:, None]
                joint = joint.masked_fill((self.labels != cond) & (cond != self.null), -torch.inf)
            x0 = torch.einsum("bk,bkd->bd", joint.softmax(-1), x0)
            return Prediction(process.schedule.at(t, x), x, x0, TARGETS["x0"])

        return Rule(process, denoise)


@dataclass(frozen=True, eq=False)
class Points:
    """A finite data set as the whole law: the exact memoriser, to which perfect training on these points
    leads."""

    x: Float[Tensor, "n *d"]

    def denoiser(self, process: Gaussian) -> Rule:
        """E[x_0 | x_t] = the mean of the points, weighted by softmax(-|| x_t - a point ||^2 / 2 sigma^2).
        In float64: near t = 0 the squares are large and their differences decide."""
        data = self.x.flatten(1)
        half_square = data.double().square().sum(1) / 2

        def denoise(x: Tensor, t: Number, cond: None = None) -> Prediction:
            c = process.schedule.at(t, x.flatten(1))
            overlap = x.flatten(1).double() @ data.double().T
            weights = ((c.a * overlap - c.a**2 * half_square) / c.sigma**2).softmax(-1)
            x0 = (weights.to(data) @ data).reshape(x.shape)
            return Prediction(process.schedule.at(t, x), x, x0, TARGETS["x0"])

        return Rule(process, denoise)


@dataclass(frozen=True, eq=False)
class TokenTable:
    """Any law over all v^l short sequences: exact p(x_0 | x_t) by enumeration."""

    probs: Float[Tensor, "n"]
    length: int
    vocab: int

    @property
    def sequences(self) -> Int[Tensor, "n l"]:
        """All of them, in the order of `probs`."""
        return torch.tensor(list(product(range(self.vocab), repeat=self.length)))

    def denoiser(self, process: Categorical) -> Rule:
        """log p(x_0 | x_t), one row per position."""
        onehot = F.one_hot(self.sequences, len(process.prior_probs)).to(self.probs)  # (n, l, v)

        def denoise(x: Tensor, t: Number, cond: None = None) -> Tensor:
            a = process.schedule.at(t, x[..., None]).a  # (b, 1, 1) or a number
            same = x[:, None] == self.sequences  # (b, n, l)
            likelihood = (a * same + (1 - a) * process.prior_probs.to(self.probs)[x][:, None]).log().sum(-1)
            posterior = (likelihood + self.probs.log()).softmax(-1)  # p(sequence | x_t)
            return torch.einsum("bn,nlv->blv", posterior, onehot).clamp(0, 1).log()

        return Rule(process, denoise)
