"""One step backwards, with as much noise as you like."""

import torch

HINTS = (
    "Going backwards by dt > 0 subtracts drift times dt; the noise of variance xi^2 dt is added.",
    "The drift is f x - (g^2 + xi^2) / 2 score: xi = 0 is the ODE, xi = g Anderson's reverse SDE.",
    "x - (f * x - (g**2 + xi**2) / 2 * score) * dt + xi * dt**0.5 * z.",
)
BOOK = "score#reverse"


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape, f, g, xi, dt in (
        ((5, 3), -0.7, 1.2, 0.0, 0.01),
        ((3, 2), -0.4, 0.9, 0.9, 0.04),
        ((7,), 0.3, 1.5, 2.2, 0.3),
    ):
        x, score, z = torch.randn(3, *shape, generator=rng)
        yield x, score, z, f, g, xi, dt


def reverse_step(x, score, z, f, g, xi, dt):
    """x at t - dt, by Euler-Maruyama. Forward the process is dx = f x dt + g dW; backwards noise xi is added.
    x, score and the standard normal z: (b, *d). f, g, xi, dt: numbers, dt > 0."""
    drift = f * x - (g**2 + xi**2) / 2 * score
    return x - drift * dt + xi * dt**0.5 * z


def anderson_for_all(x, score, z, f, g, xi, dt):
    """The score has g^2 in front whatever xi is: that is right for xi = g only."""
    return x - (f * x - g**2 * score) * dt + xi * dt**0.5 * z


def half_missing(x, score, z, f, g, xi, dt):
    """The half is missing: at xi = 0 the score of the ODE has g^2 / 2 in front."""
    return x - (f * x - (g**2 + xi**2) * score) * dt + xi * dt**0.5 * z


def forwards(x, score, z, f, g, xi, dt):
    """The drift has the sign of a step forwards: time runs back here, so it is subtracted."""
    drift = f * x - (g**2 + xi**2) / 2 * score
    return x + drift * dt + xi * dt**0.5 * z


def noise_without_the_root(x, score, z, f, g, xi, dt):
    """The noise has dt in front. Its variance is xi^2 dt, so its size is xi sqrt(dt)."""
    return reverse_step(x, score, z * dt**0.5, f, g, xi, dt)


def noise_of_the_forward_process(x, score, z, f, g, xi, dt):
    """You add the forward process's noise g. How much is added is your choice: xi."""
    return reverse_step(x, score, 0 * z, f, g, xi, dt) + g * dt**0.5 * z
