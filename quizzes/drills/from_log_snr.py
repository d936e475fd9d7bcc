"""From a noise level to both amplitudes."""

import torch

HINTS = (
    "Two equations: a^2 + sigma^2 = 1, and a^2 / sigma^2 = exp(lam).",
    "a^2 = exp(lam) / (1 + exp(lam)), which is a sigmoid.",
    "torch.sigmoid(lam).sqrt() and torch.sigmoid(-lam).sqrt().",
)
BOOK = "forward#closed-form"


def cases():
    for shift in (0.0, 0.3):
        yield (torch.tensor([-9.0, -2.0, -0.5, 0.0, 1.0, 3.0, 8.0]) + shift,)


def from_log_snr(lam):
    """(a, sigma) of the variance-preserving path (a^2 + sigma^2 = 1) where log(a^2 / sigma^2) is lam.
    lam: (n,). Returns two tensors (n,)."""
    return torch.sigmoid(lam).sqrt(), torch.sigmoid(-lam).sqrt()


def no_roots(lam):
    """Those are a^2 and sigma^2, the shares of the variance: amplitudes are their roots."""
    return torch.sigmoid(lam), torch.sigmoid(-lam)


def of_the_half(lam):
    """You take lam for log(a / sigma). That is half of log SNR: DPM-Solver's lambda, not this one."""
    return from_log_snr(2 * lam)


def swapped(lam):
    """The two are swapped: at a high SNR nearly all is data, so a is near 1 there."""
    return from_log_snr(-lam)


def amplitudes_add_up(lam):
    """Your a and sigma add up to 1, as on the straight line. Here their squares do."""
    a = torch.sigmoid(lam / 2)
    return a, 1 - a
