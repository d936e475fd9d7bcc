"""Min-SNR, for a network that predicts v."""

import torch

HINTS = (
    "Min-SNR is defined on the loss of x_0: its weight there is min(SNR, gamma).",
    "A v-loss is (SNR + 1) times an x_0-loss already.",
    "Divide: min(SNR, gamma) / (SNR + 1).",
)
BOOK = "objective#weightings"


def cases():
    for gamma in (5.0, 1.0, 3.0):
        yield torch.tensor([1e-3, 0.1, 0.7, 1.0, 2.0, 5.0, 31.0]), gamma


def min_snr_for_v(snr, gamma):
    """The factor on || v - v_hat ||^2 that makes the loss min(SNR, gamma) || x_0 - x_0_hat ||^2,
    on a variance-preserving path. snr: (b,). gamma: a number. Returns (b,)."""
    return snr.clamp(max=gamma) / (snr + 1)


def for_x0(snr, gamma):
    """That is the factor for an x_0-loss. A v-loss holds the factor SNR + 1 already: divide by it."""
    return snr.clamp(max=gamma)


def for_eps(snr, gamma):
    """That is the factor for an eps-loss, which holds the factor SNR. A v-loss holds SNR + 1."""
    return snr.clamp(max=gamma) / snr


def the_larger(snr, gamma):
    """You take the larger of SNR and gamma: then clean levels rule the loss, which min-SNR is to prevent."""
    return snr.clamp(min=gamma) / (snr + 1)


def multiplied(snr, gamma):
    """You multiply by SNR + 1. The v-loss holds that factor already: divide."""
    return snr.clamp(max=gamma) * (snr + 1)
