"""Where to spend the steps."""

import torch

HINTS = (
    "Equal steps, but in k^(1 / rho) instead of k.",
    "torch.linspace from k_max ** (1 / rho) to k_min ** (1 / rho), n values.",
    "(torch.linspace(k_max ** (1 / rho), k_min ** (1 / rho), n)) ** rho, then a 0 at the end.",
)
BOOK = "samplers#edm"


def cases():
    return (5, 7.0, 0.002, 80.0), (13, 7.0, 0.01, 100.0), (7, 3.0, 0.05, 10.0)


def karras_levels(n, rho, k_min, k_max):
    """n noise levels k = sigma / a, from k_max to k_min in equal steps of k^(1 / rho), then 0   (EDM eq. 5).
    Returns (n + 1,)."""
    roots = torch.linspace(k_max ** (1 / rho), k_min ** (1 / rho), n)
    return torch.cat([roots**rho, torch.zeros(1)])


def no_zero(n, rho, k_min, k_max):
    """The 0 at the end is missing: the samples would keep noise of size k_min."""
    return karras_levels(n, rho, k_min, k_max)[:-1]


def rising(n, rho, k_min, k_max):
    """The levels rise. Sampling starts at the noise: k_max comes first, 0 last."""
    return karras_levels(n, rho, k_min, k_max).flip(0)


def equal_steps(n, rho, k_min, k_max):
    """Equal steps in k itself: nearly all are spent on noise. Space the rho-th roots evenly."""
    return torch.cat([torch.linspace(k_max, k_min, n), torch.zeros(1)])


def power_for_root(n, rho, k_min, k_max):
    """Root and power are swapped: this spends even more steps at high noise than equal ones."""
    powers = torch.linspace(k_max**rho, k_min**rho, n)
    return torch.cat([powers ** (1 / rho), torch.zeros(1)])
