"""Distances between two sets of features (n, d), from any network: Frechet, kernel, precision and recall,
density and coverage; and the Inception Score of class probabilities.

All are computed in float64. A number without its two sample counts means nothing: the Frechet distance is
biased upwards by about c / n, with a c that depends on the model (Chong & Forsyth 2020).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Features = Float[Tensor, "n d"]


def frechet(real: Features, fake: Float[Tensor, "m d"]) -> float:
    """||mu_r - mu_f||^2 + Tr(S_r + S_f - 2 (S_r S_f)^1/2): the squared 2-Wasserstein distance between
    Gaussians fitted to both sets   (Heusel et al. 2017, eq. 6)."""
    real, fake = checked(real, fake)
    mean_gap = (real.mean(0) - fake.mean(0)).square().sum()
    cov_r, cov_f = (torch.atleast_2d(x.T.cov()) for x in (real, fake))
    # Tr (S_r S_f)^1/2 = the sum of singular values of S_r^1/2 S_f^1/2: no complex square root is needed.
    cross = torch.linalg.svdvals(root(cov_r) @ root(cov_f)).sum()
    return (mean_gap + cov_r.trace() + cov_f.trace() - 2 * cross).item()


def root(cov: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """The symmetric square root of a positive semi-definite matrix."""
    values, vectors = torch.linalg.eigh(cov)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def kid(real: Features, fake: Float[Tensor, "m d"]) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: unbiased, so it may fall below 0
    (Binkowski et al. 2018, eq. 4)."""
    real, fake = checked(real, fake)
    n, m, d = len(real), len(fake), real.shape[1]

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / d + 1) ** 3

    rr, ff = kernel(real, real), kernel(fake, fake)
    within = (rr.sum() - rr.trace()) / (n * (n - 1)) + (ff.sum() - ff.trace()) / (m * (m - 1))
    return (within - 2 * kernel(real, fake).mean()).item()


class Coverage(NamedTuple):
    """Shares of one set that lie inside the other's support."""

    precision: float
    recall: float


def precision_recall(real: Features, fake: Float[Tensor, "m d"], k: int = 3) -> Coverage:
    """Precision: the share of samples inside the union of balls round real points, each reaching to its k-th
    neighbour. Recall: the same with the roles exchanged   (Kynkaanniemi et al. 2019, section 2)."""
    real, fake = checked(real, fake)
    if min(len(real), len(fake)) <= k:
        raise ValueError(
            f"{len(real)} real and {len(fake)} generated features: {k} neighbours need more than {k} of each."
        )
    across = torch.cdist(real, fake)
    reach_r, reach_f = (torch.cdist(x, x).kthvalue(k + 1, dim=1).values for x in (real, fake))
    inside = (across <= reach_r[:, None]).any(0).double().mean()
    covered = (across <= reach_f).any(1).double().mean()
    return Coverage(inside.item(), covered.item())


def density_coverage(real: Features, fake: Float[Tensor, "m d"], k: int = 5) -> tuple[float, float]:
    """Density: in how many balls round real points a sample lies, over k; not bounded by 1. Coverage: the
    share of real points whose ball holds a sample. Balls reach to the k-th real neighbour
    (Naeem et al. 2020, section 3)."""
    real, fake = checked(real, fake)
    if len(real) <= k:
        raise ValueError(f"{len(real)} real features: {k} neighbours need more than {k}.")
    reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    inside = torch.cdist(real, fake) < reach[:, None]
    return inside.double().sum(0).mean().item() / k, inside.any(1).double().mean().item()


def inception_score(probs: Float[Tensor, "n classes"]) -> float:
    """exp E KL( p(y | x) || p(y) ): from 1 to the number of classes, and blind to everything inside a class
    (Salimans et al. 2016, section 4)."""
    p = probs.detach().double()
    if (p < 0).any() or not torch.allclose(p.sum(1), torch.ones(()).double(), atol=1e-4):
        raise ValueError("the Inception Score needs probabilities (n, classes): each row sums to 1.")
    gain = torch.xlogy(p, p) - torch.xlogy(p, p.mean(0, keepdim=True))
    return gain.sum(1).mean().exp().item()


def checked(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets in float64, or a sentence."""
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"features of shapes {tuple(real.shape)} and {tuple(fake.shape)}: give (n, d) and (m, d)."
        )
    if min(len(real), len(fake)) < 2:
        raise ValueError(f"{len(real)} real and {len(fake)} generated features: a spread needs at least 2.")
    for name, x in (("real", real), ("generated", fake)):
        if not x.isfinite().all():
            raise ValueError(f"the {name} features hold values that are not finite: look at them first.")
    return real.detach().double().cpu(), fake.detach().double().cpu()
