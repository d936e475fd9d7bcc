"""The distance between two fitted Gaussians."""

import torch

HINTS = (
    "Four terms: the squared gap of the means, two traces, and minus twice the trace of a matrix root.",
    "The trace of the root of A is the sum of the roots of A's eigenvalues; those of S_r S_f are >= 0.",
    "cross = torch.linalg.eigvals(cov_r @ cov_f).real.clamp(min=0).sqrt().sum(); x.T.cov() is a covariance.",
)
BOOK = "evaluation#fid"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, m, d in ((31, 17, 3), (23, 29, 5), (11, 13, 2)):
        mix = torch.randn(d, d, generator=rng, dtype=torch.float64)
        real = torch.randn(n, d, generator=rng, dtype=torch.float64)
        yield real, torch.randn(m, d, generator=rng, dtype=torch.float64) @ mix + 0.7


def frechet_distance(real, fake):
    """|mu_r - mu_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^(1/2)) of two sets of features   (Heusel et al., eq. 6).
    real: (n, d), fake: (m, d), float64. Returns a number."""
    gap = (real.mean(0) - fake.mean(0)).square().sum()
    cov_r, cov_f = real.T.cov(), fake.T.cov()
    cross = torch.linalg.eigvals(cov_r @ cov_f).real.clamp(min=0).sqrt().sum()
    return (gap + cov_r.trace() + cov_f.trace() - 2 * cross).item()


def elementwise_root(real, fake):
    """The root is taken entry by entry. It is a matrix root: its trace is the sum of roots of eigenvalues."""
    gap = (real.mean(0) - fake.mean(0)).square().sum()
    cov_r, cov_f = real.T.cov(), fake.T.cov()
    return (gap + cov_r.trace() + cov_f.trace() - 2 * (cov_r @ cov_f).abs().sqrt().trace()).item()


def root_missing(real, fake):
    """The product of the covariances is there without its root: a set has no distance 0 to itself."""
    gap = (real.mean(0) - fake.mean(0)).square().sum()
    cov_r, cov_f = real.T.cov(), fake.T.cov()
    return (gap + cov_r.trace() + cov_f.trace() - 2 * (cov_r @ cov_f).trace()).item()


def two_missing(real, fake):
    """The 2 before the matrix root is missing: a set must have distance 0 to itself."""
    gap = (real.mean(0) - fake.mean(0)).square().sum()
    cov_r, cov_f = real.T.cov(), fake.T.cov()
    cross = torch.linalg.eigvals(cov_r @ cov_f).real.clamp(min=0).sqrt().sum()
    return (gap + cov_r.trace() + cov_f.trace() - cross).item()


def gap_not_squared(real, fake):
    """The gap between the means is not squared: both terms are squared lengths."""
    gap = (real.mean(0) - fake.mean(0)).norm()
    return frechet_distance(real - real.mean(0), fake - fake.mean(0)) + gap.item()


def rooted(real, fake):
    """That is the distance itself. What is published, and called a distance, is its square."""
    return frechet_distance(real, fake) ** 0.5


def means_ignored(real, fake):
    """The means are missing: a model that is off by a constant must pay for it."""
    return frechet_distance(real - real.mean(0), fake - fake.mean(0))
