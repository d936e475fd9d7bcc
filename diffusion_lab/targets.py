"""What the network predicts. Every target is one direction in the (x_0, eps) plane,

    y = k_x x_0 + k_eps eps        seen together with        x_t = a_t x_0 + sigma_t eps,

so a 2x2 solve turns any prediction into any other. A new target is one line of TARGETS.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from .coefficients import Coef, Number
from .errors import lookup

Target = Callable[[Coef], tuple[Number, Number]]
"""Coefficients (k_x, k_eps) at a time."""


def edm(sigma_data: float = 0.5) -> Target:
    """EDM's raw output F, from D = c_skip x + c_out F   (EDM eq. 7).

    With sigma_data = 1 on a variance-preserving path it is -v.
    """

    def coefficients(c: Coef) -> tuple[Number, Number]:
        scale = (c.sigma**2 + (c.a * sigma_data) ** 2) ** -0.5
        return scale * c.sigma / sigma_data, -scale * c.a * sigma_data

    return coefficients


TARGETS: dict[str, Target] = {
    "eps": lambda c: (0.0, 1.0),  # DDPM eq. 14
    "x0": lambda c: (1.0, 0.0),
    "v": lambda c: (-c.sigma, c.a),  # Salimans & Ho 2022; variance-preserving paths
    "score": lambda c: (0.0, _minus_inverse(c.sigma)),  # of q(x_t | x_0), score-SDE eq. 7
    "velocity": lambda c: (c.d_a, c.d_sigma),  # dx_t / dt, Lipman et al. 2023
    "edm": edm(),
}


def _minus_inverse(sigma: Number) -> Number:
    if isinstance(sigma, float) and sigma == 0:
        raise ValueError("the score is undefined at t = 0, where sigma = 0: ask at a later time.")
    return -1 / sigma


def target_named(target: str | Target) -> Target:
    """The target itself, or the one of that name."""
    return lookup(target, TARGETS, "target") if isinstance(target, str) else target


def encode(
    target: Target, c: Coef, x0: Float[Tensor, "b *d"], eps: Float[Tensor, "b *d"]
) -> Float[Tensor, "b *d"]:
    """The regression target y = k_x x_0 + k_eps eps."""
    k_x, k_eps = target(c)
    return mix(k_x, x0, k_eps, eps)


class Prediction:
    """What a model believes about x_0 and eps when it sees x_t, held as its one output y.

    `combine` reads any k_x x_0 + k_eps eps from it; `x0`, `eps`, `score`, `velocity` are those with names.
    `large` chooses the variance of an ancestral step: 0 the small, 1 the large one, between them as learned
    (iDDPM eq. 15).
    """

    def __init__(self, c: Coef, x: Tensor, y: Tensor, target: Target, large: Number = 0.0):
        self.c, self.x, self.y, self.target, self.large = c, x, y, target, large

    def combine(self, m_x: Number, m_eps: Number) -> Float[Tensor, "b *d"]:
        """m_x x_0 + m_eps eps, by Cramer's rule on {x = a x_0 + sigma eps, y = k_x x_0 + k_eps eps}."""
        a, sigma = self.c.a, self.c.sigma
        k_x, k_eps = self.target(self.c)
        det = a * k_eps - sigma * k_x
        if not solvable(det, a, sigma, k_x, k_eps):
            raise ValueError(
                f"this target adds nothing to x_t at t = {float(self.c.t.max()):.6g}, where a = {_shown(a)} "
                f"and sigma = {_shown(sigma)}: start at or below t_max = {self.c.schedule.t_max:.4f}, or "
                "train another target (x0, v and velocity can be read at a = 0)."
            )
        return mix((m_x * k_eps - m_eps * k_x) / det, self.x, (a * m_eps - sigma * m_x) / det, self.y)

    def replaced(self, y: Tensor) -> "Prediction":
        """The same belief with another output, as guidance makes it."""
        return Prediction(self.c, self.x, y, self.target, self.large)

    @cached_property
    def x0(self) -> Float[Tensor, "b *d"]:
        """E[x_0 | x_t]."""
        return self.combine(1.0, 0.0)

    @cached_property
    def eps(self) -> Float[Tensor, "b *d"]:
        """E[eps | x_t]."""
        return self.combine(0.0, 1.0)

    @cached_property
    def score(self) -> Float[Tensor, "b *d"]:
        """grad log q(x_t) = -E[eps | x_t] / sigma_t."""
        return self.combine(0.0, _minus_inverse(self.c.sigma))

    @cached_property
    def velocity(self) -> Float[Tensor, "b *d"]:
        """dx/dt of the probability-flow ODE: E[a' x_0 + sigma' eps | x_t]."""
        return self.combine(self.c.d_a, self.c.d_sigma)


def x0_weight(target: Target, c: Coef) -> Number:
    """||y - y_hat||^2 = weight * ||x_0 - x_0_hat||^2: the weighting that a target hides."""
    k_x, k_eps = target(c)
    return ((c.a * k_eps - c.sigma * k_x) / c.sigma) ** 2


def mix(p: Number, x: Tensor, q: Number, y: Tensor) -> Tensor:
    """p x + q y, in as few passes over memory as the coefficients allow."""
    if isinstance(p, Tensor) or isinstance(q, Tensor):
        return p * x + q * y
    if p == 0 or q == 0:
        z, r = (y, q) if p == 0 else (x, p)
        return z if r == 1 else r * z
    return torch.add(x if p == 1 else p * x, y, alpha=q)


def solvable(det: Number, a: Number, sigma: Number, k_x: Number, k_eps: Number) -> bool:
    """Are x_t and y two different directions? det is their cross product. Times on an accelerator are not
    looked at: that would make it wait."""
    if isinstance(det, Tensor) and det.device.type != "cpu":
        return True
    sine = det / ((a**2 + sigma**2) * (k_x**2 + k_eps**2)) ** 0.5
    return bool((sine.abs() > 1e-9).all()) if isinstance(sine, Tensor) else abs(sine) > 1e-9


def _shown(x: Number) -> str:
    return f"{float(x.min()):.3g}" if isinstance(x, Tensor) else f"{x:.3g}"
