"""Count the samples that look real."""

import torch

HINTS = (
    "Round each real point lies a ball, up to its k-th real neighbour. A sample counts if any ball holds it.",
    "torch.cdist(real, real) holds each point's distance to itself: take the (k + 1)-th smallest value.",
    "reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values; then (... <= reach[:, None]).any(0).",
)
BOOK = "evaluation#precision-recall"


def cases():
    rng = torch.Generator().manual_seed(0)
    # Powers of two in m and n: a share of them is exact in any precision that a learner averages in.
    for n, m, d, k in ((31, 32, 2, 3), (17, 64, 3, 2), (32, 32, 2, 5)):
        real = torch.randn(n, d, generator=rng, dtype=torch.float64)
        yield real, 1.7 * torch.randn(m, d, generator=rng, dtype=torch.float64), k


def support_precision(real, fake, k):
    """Share of samples inside the union of balls round real points, each reaching to its k-th neighbour
    (Kynkaanniemi et al. 2019). Recall is the same, called with the sets exchanged.
    real: (n, d), fake: (m, d). Returns a number."""
    reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    return (torch.cdist(real, fake) <= reach[:, None]).any(0).double().mean().item()


def itself_counted(real, fake, k):
    """The nearest neighbour of a point is itself, at distance 0: you stop one neighbour short."""
    return support_precision(real, fake, k - 1)


def recall(real, fake, k):
    """That is recall: the balls lie round samples. For precision they lie round real points."""
    return support_precision(fake, real, k)


def coverage(real, fake, k):
    """You count real points whose ball holds a sample: that is coverage. Precision counts samples."""
    reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    return (torch.cdist(real, fake) <= reach[:, None]).any(1).double().mean().item()


def density(real, fake, k):
    """You count the balls that a sample lies in: over k, that is density. For precision one is enough."""
    reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    return (torch.cdist(real, fake) <= reach[:, None]).double().sum(0).mean().item() / k


def one_radius(real, fake, k):
    """All balls have one size, the mean reach. Each must have its own: small where real points are dense."""
    reach = torch.cdist(real, real).kthvalue(k + 1, dim=1).values.mean()
    return (torch.cdist(real, fake) <= reach).any(0).double().mean().item()
