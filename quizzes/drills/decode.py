"""Read x_0 and eps from any target."""

import torch

HINTS = (
    "Two equations, two unknowns: x = a x0 + sigma eps, and y = k_x x0 + k_eps eps.",
    "Cramer's rule: the determinant is a k_eps - sigma k_x.",
    "x0 = (k_eps x - sigma y) / det and eps = (a y - k_x x) / det.",
)
BOOK = "targets#convert"


def cases():
    rng = torch.Generator().manual_seed(0)
    a, sigma = 0.8, 0.6
    for k_x, k_eps in ((0.0, 1.0), (-sigma, a), (-1.0, 1.0), (1.0, 0.0), (0.3, -0.7)):
        x, y = torch.randn(2, 5, 3, generator=rng)
        yield x, y, a, sigma, k_x, k_eps


def decode(x, y, a, sigma, k_x, k_eps):
    """(x0, eps) from what is known at one time: x = a x0 + sigma eps and y = k_x x0 + k_eps eps.
    x, y: (b, *d). The rest: numbers."""
    det = a * k_eps - sigma * k_x
    return (k_eps * x - sigma * y) / det, (a * y - k_x * x) / det


def sign_of_the_determinant(x, y, a, sigma, k_x, k_eps):
    """The determinant has the wrong sign inside: it is a k_eps - sigma k_x, not a k_eps + sigma k_x."""
    det = a * k_eps + sigma * k_x
    return (k_eps * x - sigma * y) / det, (a * y - k_x * x) / det


def swapped(x, y, a, sigma, k_x, k_eps):
    """The two answers are swapped: x_0 comes first, eps second."""
    return decode(x, y, a, sigma, k_x, k_eps)[::-1]


def not_divided(x, y, a, sigma, k_x, k_eps):
    """The division by the determinant is missing: right only where it is 1, as for v."""
    det = a * k_eps - sigma * k_x
    x0, eps = decode(x, y, a, sigma, k_x, k_eps)
    return det * x0, det * eps


def only_for_noise(x, y, a, sigma, k_x, k_eps):
    """You take y for eps whatever the target: solve with k_x and k_eps."""
    return (x - sigma * y) / a, y
