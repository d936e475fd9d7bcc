"""Noise schedules: how much data and how much noise is in x_t.

Time runs from data (t = 0: a = 1, sigma = 0) to noise (t = 1). A schedule is two one-line methods, `a` and
`sigma`; everything that follows from them comes with the base class.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .coefficients import Schedule


@dataclass(frozen=True)
class VP(Schedule):
    """Variance preserving with a linear beta(t): DDPM's table as T -> infinity   (score-SDE appendix C)."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def log_a(self, t: Tensor) -> Tensor:
        """-1/2 times the integral of beta from 0 to t."""
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def a(self, t: Tensor) -> Tensor:
        return torch.exp(self.log_a(t))

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sqrt(-torch.expm1(2 * self.log_a(t)))


@dataclass(frozen=True)
class Cosine(Schedule):
    """a_t = cos(phi_t) / cos(phi_0), phi_t = (t + offset) / (1 + offset) pi / 2   (iDDPM eq. 17, unclipped).

    offset = 0 is the plain a = cos, sigma = sin. sigma comes from cos^2 A - cos^2 B = sin(B - A) sin(B + A),
    which keeps its digits near t = 0 where 1 - a^2 loses them.
    """

    offset: float = 0.008

    @property
    def _phi0(self) -> float:
        return self.offset / (1 + self.offset) * (math.pi / 2)

    def _turn(self, t: Tensor) -> Tensor:
        return t / (1 + self.offset) * (math.pi / 2)

    def a(self, t: Tensor) -> Tensor:
        return torch.cos(self._turn(t) + self._phi0) / math.cos(self._phi0)

    def sigma(self, t: Tensor) -> Tensor:
        turn = self._turn(t)
        return torch.sqrt(torch.sin(turn) * torch.sin(turn + 2 * self._phi0)) / math.cos(self._phi0)


@dataclass(frozen=True)
class VE(Schedule):
    """Variance exploding, geometric sigma   (score-SDE appendix C).

    t = 0 is clean data: sigma jumps from sigma_min to 0 there, as in the paper's appendix C.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def a(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return torch.where(t > 0, self.sigma_min * (self.sigma_max / self.sigma_min) ** t, 0.0)

    def norm(self, a: Tensor, sigma: Tensor) -> Tensor:
        """VE never shrinks the data."""
        return a


@dataclass(frozen=True)
class Flow(Schedule):
    """The straight line from data to noise   (rectified flow; Lipman et al. 2023 with t -> 1 - t)."""

    def a(self, t: Tensor) -> Tensor:
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        return t

    def norm(self, a: Tensor, sigma: Tensor) -> Tensor:
        """a + sigma = 1."""
        return a + sigma


@dataclass(frozen=True)
class Shifted(Schedule):
    """`base` with sigma_t / a_t multiplied by kappa: log SNR falls by 2 log kappa everywhere.

    On Flow this is the clock t -> kappa t / (1 + (kappa - 1) t)   (SD3 eq. 23); on a variance-preserving
    base it is the shift of "simple diffusion" for larger images (Hoogeboom et al. 2023).
    """

    base: Schedule
    kappa: float

    def __post_init__(self) -> None:
        if not self.kappa > 0:
            raise ValueError(f"kappa = {self.kappa}: a shift multiplies sigma / a, give a number above 0.")

    def _norm(self, t: Tensor) -> Tensor:
        return self.norm(self.base.a(t), self.kappa * self.base.sigma(t))

    def norm(self, a: Tensor, sigma: Tensor) -> Tensor:
        return self.base.norm(a, sigma)

    def a(self, t: Tensor) -> Tensor:
        return self.base.a(t) / self._norm(t)

    def sigma(self, t: Tensor) -> Tensor:
        return self.kappa * self.base.sigma(t) / self._norm(t)


@dataclass(frozen=True, eq=False)
class Table(Schedule):
    """A discrete table beta_1..beta_T, exact at t = i / T. In between the angle phi = atan2(sigma, a) is
    interpolated, which keeps a^2 + sigma^2 = 1 up to and including SNR 0."""

    phi: Float[Tensor, "T_plus_1"]

    @classmethod
    def from_beta(cls, beta: Float[Tensor, "T"]) -> "Table":
        """alpha_bar_t = prod (1 - beta_s)   (DDPM section 2)."""
        beta = beta.double()
        if not ((beta > 0) & (beta <= 1)).all():
            raise ValueError(
                f"beta spans [{beta.min():.4g}, {beta.max():.4g}]: each variance lies in (0, 1]."
            )
        log_alpha_bar = torch.cat([beta.new_zeros(1), torch.log1p(-beta).cumsum(0)])
        return cls(torch.atan2(torch.sqrt(-torch.expm1(log_alpha_bar)), torch.exp(log_alpha_bar / 2)))

    @classmethod
    def linear(cls, T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> "Table":
        """DDPM section 4. The ends are meant for T = 1000 and scaled by 1000 / T: a shorter table that keeps
        them never reaches noise."""
        scale = 1000 / T
        if max(beta_1, beta_T) * scale > 1:
            raise ValueError(
                f"T = {T} is too short: beta_T = {beta_T} * 1000 / T exceeds 1, use T >= {1000 * beta_T:.0f}."
            )
        return cls.from_beta(torch.linspace(beta_1 * scale, beta_T * scale, T, dtype=torch.float64))

    @classmethod
    def scaled_linear(cls, T: int = 1000, beta_1: float = 0.00085, beta_T: float = 0.012) -> "Table":
        """Linear in sqrt(beta): Stable Diffusion 1, 2 and XL   (LDM's code)."""
        scale = 1000 / T
        ends = (beta_1 * scale) ** 0.5, (beta_T * scale) ** 0.5
        return cls.from_beta(torch.linspace(*ends, T, dtype=torch.float64) ** 2)

    @classmethod
    def cosine(cls, T: int = 1000, offset: float = 0.008, clip: float = 0.999) -> "Table":
        """`Cosine` on the grid i / T with each beta clipped from above   (iDDPM section 3.2)."""
        alpha_bar = Cosine(offset).a(torch.linspace(0, 1, T + 1, dtype=torch.float64)) ** 2
        return cls.from_beta((1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=clip))

    def zero_snr(self) -> "Table":
        """Shift and stretch sqrt(alpha_bar) so that the last is 0 and the first stays   (Lin et al. 2024,
        algorithm 1).

        eps says nothing about x_0 at SNR 0: train x0 or v on this table.
        """
        a = torch.cos(self.phi[1:])
        a = (a - a[-1]) * a[0] / (a[0] - a[-1])
        return Table(torch.cat([self.phi[:1], torch.atan2(torch.sqrt(1 - a**2), a)]))

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.phi) - 1

    @property
    def alpha_bar(self) -> Float[Tensor, "T_plus_1"]:
        """alpha_bar_0 = 1, ..., alpha_bar_T."""
        return torch.cos(self.phi) ** 2

    @property
    def beta(self) -> Float[Tensor, "T"]:
        """beta_1, ..., beta_T."""
        return 1 - self.alpha_bar[1:] / self.alpha_bar[:-1]

    def _angle(self, t: Tensor) -> Tensor:
        phi, u = self.phi.to(t), t * self.T
        i = u.detach().floor().long().clamp(0, self.T - 1)
        return phi[i] + (u - i) * (phi[i + 1] - phi[i])

    def a(self, t: Tensor) -> Tensor:
        return torch.cos(self._angle(t))

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin(self._angle(t))


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "vp": VP,
    "cosine": Cosine,
    "ve": VE,
    "flow": Flow,
    "linear": Table.linear,
    "scaled_linear": Table.scaled_linear,
    "clipped_cosine": Table.cosine,
}
