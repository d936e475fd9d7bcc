"""Pair data and noise so that they move least."""

import torch

HINTS = (
    "An assignment: every noise is used once. scipy.optimize.linear_sum_assignment solves it.",
    "The cost is the squared distance, rows are data, columns noise; it returns rows and columns.",
    "cost = torch.cdist(x0, noise).square(); _, j = linear_sum_assignment(cost.numpy()); return noise[j].",
)
BOOK = "flow#couplings"


def cases():
    rng = torch.Generator().manual_seed(0)
    for n, d in ((5, 2), (11, 3), (17, 2)):
        yield 2 * torch.randn(n, d, generator=rng) + 1, torch.randn(n, d, generator=rng)


def ot_partners(x0, noise):
    """The noise, in the order that makes sum_i || x0_i - noise_i ||^2 least. All (n, d)."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(x0, noise).square()
    _, column = linear_sum_assignment(cost.numpy())
    return noise[torch.as_tensor(column)]


def nearest(x0, noise):
    """Each point takes its nearest noise: some is used twice, some never, and it is no longer Gaussian."""
    return noise[torch.cdist(x0, noise).argmin(1)]


def greedy(x0, noise):
    """Point after point takes the nearest that is left: each is used once, but the sum is not least."""
    cost, taken = torch.cdist(x0, noise), []
    for row in cost:
        row[taken] = torch.inf
        taken.append(int(row.argmin()))
    return noise[taken]


def not_squared(x0, noise):
    """The cost is the distance: square it. Squares are what makes the map a gradient, without crossings."""
    from scipy.optimize import linear_sum_assignment

    return noise[torch.as_tensor(linear_sum_assignment(torch.cdist(x0, noise).numpy())[1])]


def inverse_order(x0, noise):
    """This is the inverse order: partners of the noise among the data. Row i must hold the noise of x0_i."""
    from scipy.optimize import linear_sum_assignment

    column = linear_sum_assignment(torch.cdist(x0, noise).square().numpy())[1]
    return noise[torch.as_tensor(column).argsort()]
