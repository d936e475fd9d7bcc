"""Where the score goes when time runs back."""

import torch

HINTS = (
    "Backwards the drift must undo the forward noise g, and balance the noise xi that is added on the way.",
    "One part of the score gives the ODE: g^2 / 2 of it. Another part balances the noise: xi^2 / 2 of it.",
    "f * x - (g**2 + xi**2) / 2 * score: xi = 0 is the ODE, xi = g Anderson's reverse SDE.",
)
BOOK = "score#reverse"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, f, g, xi in (((5, 3), -0.7, 1.2, 0.0), ((3, 2), -0.4, 0.9, 0.9), ((7,), 0.3, 1.5, 2.2)):
        x, score = torch.randn(2, *shape, generator=rng)
        yield x, score, f, g, xi


def reverse_drift(x, score, f, g, xi):
    """The b of dx = b dt + xi dW that, followed from t = 1 down, keeps the marginals of dx = f x dt + g dW
    (score-SDE eq. 6 and 13 are xi = g and xi = 0). x, score: (b, *d). f, g, xi: numbers. Returns (b, *d)."""
    return f * x - (g**2 + xi**2) / 2 * score


def anderson_for_all(x, score, f, g, xi):
    """The score has g^2 in front whatever xi is: that is right for xi = g only."""
    return f * x - g**2 * score


def ode_for_all(x, score, f, g, xi):
    """That is the ODE's drift: the noise xi spreads the points, and nothing pulls them back."""
    return f * x - g**2 / 2 * score


def half_missing(x, score, f, g, xi):
    """The half is missing: at xi = 0, the ODE, the score has g^2 / 2 in front."""
    return f * x - (g**2 + xi**2) * score


def away_from_the_data(x, score, f, g, xi):
    """The score has the wrong sign. Time runs down, so a step goes along minus b: b holds minus the score."""
    return f * x + (g**2 + xi**2) / 2 * score


def time_turned_twice(x, score, f, g, xi):
    """You give the velocity for a clock that runs back. b is the one in dt, and dt is negative here."""
    return -reverse_drift(x, score, f, g, xi)


def deviations_for_variances(x, score, f, g, xi):
    """g and xi are not squared: what spreads is a variance, g^2 dt."""
    return f * x - (g + xi) / 2 * score
