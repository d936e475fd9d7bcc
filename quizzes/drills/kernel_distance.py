"""A distance without bias."""

import torch

HINTS = (
    "Three means of the kernel: within the real set, within the samples, and across.",
    "A point paired with itself is not an independent draw: leave the diagonal out of the means within.",
    "(k.sum() - k.trace()) / (n (n - 1)) within each set, minus twice the plain mean of the kernel across.",
)
BOOK = "evaluation#fid"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, m, d in ((7, 5, 3), (11, 13, 2), (5, 5, 7)):
        real = torch.randn(n, d, generator=rng, dtype=torch.float64)
        yield real, 0.3 + 1.5 * torch.randn(m, d, generator=rng, dtype=torch.float64)
    yield real, real + 0.01  # hardly a gap: the estimate is negative


def kernel_distance(real, fake):
    """Unbiased squared MMD with the kernel (x.y / d + 1)^3   (Binkowski et al. 2018, eq. 4).
    real: (n, d), fake: (m, d). Returns a number, which may be negative."""
    n, m, d = len(real), len(fake), real.shape[1]
    rr, ff, rf = ((x @ y.T / d + 1) ** 3 for x, y in ((real, real), (fake, fake), (real, fake)))
    within = (rr.sum() - rr.trace()) / (n * (n - 1)) + (ff.sum() - ff.trace()) / (m * (m - 1))
    return (within - 2 * rf.mean()).item()


def with_the_diagonal(real, fake):
    """The diagonals are in the means: a point is always like itself. That is the biased estimate."""
    d = real.shape[1]
    rr, ff, rf = ((x @ y.T / d + 1) ** 3 for x, y in ((real, real), (fake, fake), (real, fake)))
    return (rr.mean() + ff.mean() - 2 * rf.mean()).item()


def across_once(real, fake):
    """The kernel across the sets counts twice: with it once, two sets of one law are not at 0."""
    d = real.shape[1]
    return kernel_distance(real, fake) + ((real @ fake.T / d + 1) ** 3).mean().item()


def dimension_missing(real, fake):
    """The scalar product is not divided by d: in 2048 dimensions its cube explodes."""
    root = real.shape[1] ** 0.5
    return kernel_distance(real * root, fake * root)


def diagonal_out_of_the_sum_only(real, fake):
    """The diagonal has left the sum and not the count: n (n - 1) pairs are left of n n."""
    n, m, d = len(real), len(fake), real.shape[1]
    rr, ff, rf = ((x @ y.T / d + 1) ** 3 for x, y in ((real, real), (fake, fake), (real, fake)))
    within = (rr.sum() - rr.trace()) / n**2 + (ff.sum() - ff.trace()) / m**2
    return (within - 2 * rf.mean()).item()


def clamped(real, fake):
    """Negative values are cut off. Then it is biased again: an unbiased estimate of 0 must fall below 0."""
    return max(0.0, kernel_distance(real, fake))
