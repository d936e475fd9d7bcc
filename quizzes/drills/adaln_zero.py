"""A transformer block that starts as nothing."""

import torch

HINTS = (
    "Three vectors come from time and condition. Two of them act before the function, one after it.",
    "Normalise without weights, then h (1 + scale) + shift. The gate multiplies what the function returns.",
    "h + gate * f(layer_norm(h, h.shape[-1:], eps=1e-6) * (1 + scale) + shift), with torch.nn.functional.",
)
BOOK = "architectures#adaln-zero"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, n, k in ((2, 5, 7), (3, 7, 11)):
        h = 2 * torch.randn(b, n, k, generator=rng) + 1
        parts = torch.randn(3, b, 1, k, generator=rng)
        yield h, lambda y: torch.sin(y).cumsum(1), *parts
        yield h, torch.sin, *(0 * parts)


def adaln_zero(h, f, shift, scale, gate):
    """One half of a DiT block; f is the attention or the MLP. h: (b, n, k), the three parts: (b, 1, k)."""
    normal = torch.nn.functional.layer_norm(h, h.shape[-1:], eps=1e-6)
    return h + gate * f(normal * (1 + scale) + shift)


def one_forgotten(h, f, shift, scale, gate):
    """Scale 0 must mean "unchanged": multiply by 1 + scale, or f sees nothing at the start."""
    return adaln_zero(h, f, shift, scale - 1, gate)


def no_gate(h, f, shift, scale, gate):
    """The gate does not enter, so the block is not the identity at the start: that is adaLN without Zero."""
    return adaln_zero(h, f, shift, scale, torch.ones_like(gate))


def one_plus_gate(h, f, shift, scale, gate):
    """The gate is no scale: it multiplies as it is, so that gate 0 silences the block."""
    return adaln_zero(h, f, shift, scale, 1 + gate)


def no_residual(h, f, shift, scale, gate):
    """The residual path is missing: with gate 0 the block must return h, not 0."""
    return adaln_zero(h, f, shift, scale, gate) - h


def gate_before(h, f, shift, scale, gate):
    """The gate comes after f. Before it, f still answers something for an input of zeros."""
    normal = torch.nn.functional.layer_norm(h, h.shape[-1:], eps=1e-6)
    return h + f(gate * (normal * (1 + scale) + shift))


def not_normalised(h, f, shift, scale, gate):
    """h goes in as it is: normalise each token to mean 0 and variance 1 first."""
    return h + gate * f(h * (1 + scale) + shift)
