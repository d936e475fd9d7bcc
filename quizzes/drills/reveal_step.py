"""Reveal some tokens."""

import torch

HINTS = (
    "A token that shows stays. A hidden one shows at s with a probability: given that it is hidden at t.",
    "It is hidden at t with probability 1 - a_t, shows at s and not at t with a_s - a_t. Divide.",
    "torch.where((x == mask) & (u < (a_s - a_t) / (1 - a_t)), drawn, x).",
)
BOOK = "text#masked"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, l, a_t, a_s in ((5, 7, 0.5, 0.7), (3, 11, 0.1, 0.6), (2, 13, 0.8, 0.95)):
        x, drawn = torch.randint(6, (2, b, l), generator=rng)
        hidden = torch.rand(b, l, generator=rng) < 0.7
        yield torch.where(hidden, 6, x), drawn, torch.rand(b, l, generator=rng), a_t, a_s, 6


def reveal_step(x, drawn, u, a_t, a_s, mask):
    """One step of masked diffusion from t to an earlier s: every hidden token by its own coin   (MDLM eq. 7).
    x, drawn: ids (b, l), drawn from p(x_0 | x_t). u ~ U(0, 1): (b, l). a_t < a_s: shares that show."""
    revealed = (x == mask) & (u < (a_s - a_t) / (1 - a_t))
    return torch.where(revealed, drawn, x)


def not_divided(x, drawn, u, a_t, a_s, mask):
    """You reveal with a_s - a_t. That is a share of all tokens; of the hidden ones, divide by 1 - a_t."""
    return torch.where((x == mask) & (u < a_s - a_t), drawn, x)


def share_at_s(x, drawn, u, a_t, a_s, mask):
    """You reveal with a_s. Part of that share shows already: too many tokens appear at once."""
    return torch.where((x == mask) & (u < a_s), drawn, x)


def shown_redrawn(x, drawn, u, a_t, a_s, mask):
    """Tokens that show are drawn anew as well: in masked diffusion what shows never changes."""
    return torch.where(u < (a_s - a_t) / (1 - a_t), drawn, x)


def all_at_once(x, drawn, u, a_t, a_s, mask):
    """You reveal every hidden token: that is the step to s = 0, where a_s is 1."""
    return torch.where(x == mask, drawn, x)


def coin_reversed(x, drawn, u, a_t, a_s, mask):
    """The coin is turned round: that is the probability to stay hidden, (1 - a_s) / (1 - a_t)."""
    return torch.where((x == mask) & (u < (1 - a_s) / (1 - a_t)), drawn, x)
