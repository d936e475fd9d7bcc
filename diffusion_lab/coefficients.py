"""What every noise schedule knows: a_t and sigma_t of

    x_t = a_t x_0 + sigma_t eps,                                             (VDM eq. 1)

their ratios, their slopes, the inverse clock, and how they broadcast against a batch.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property, lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

Number = float | Tensor
"""One number for the whole batch, or a tensor that broadcasts against it."""

TERMINAL_SNR = 4.04e-5
"""SNR at the end of DDPM's own table: what counts as "noise" when a schedule's a(1) is zero."""


class Schedule(ABC):
    """a, sigma: [0, 1] -> [0, inf), with a(0) = 1, sigma(0) = 0 and a / sigma strictly falling."""

    @abstractmethod
    def a(self, t: Tensor) -> Tensor:
        """How much of the data is left at t (elementwise)."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """Standard deviation of the noise at t (elementwise)."""

    def norm(self, a: Tensor, sigma: Tensor) -> Tensor:
        """What the family keeps equal to 1: here a^2 + sigma^2 (variance preserving)."""
        return torch.sqrt(a**2 + sigma**2)

    def half_log_snr(self, t: Tensor) -> Tensor:
        """log(a_t / sigma_t): DPM-Solver's lambda_t, half of log SNR_t."""
        return torch.log(self.a(t)) - torch.log(self.sigma(t))

    def at(self, t: Number, like: Tensor) -> "Coef":
        """Coefficients at t, ready to multiply `like` (b, *d).

        t is one number for the whole batch (the coefficients are then floats, computed in float64 and
        remembered) or one time per example, shape (b,) (tensors of shape (b, 1, ..., 1)).
        This is the only place of the package that broadcasts a time.
        """
        if not isinstance(t, Tensor):
            return _at_number(self, float(t))
        if t.ndim == 0:
            return _at_number(self, t.item())
        if t.ndim != 1 or len(t) not in (1, len(like)):
            raise ValueError(
                f"t has shape {tuple(t.shape)} for a batch of shape {tuple(like.shape)}: "
                f"give one number, or one time per example with shape ({len(like)},)."
            )
        if t.device.type == "cpu" and not ((t >= 0) & (t <= 1)).all():
            raise ValueError(
                f"t spans [{t.min():.4g}, {t.max():.4g}]: times lie in [0, 1], 0 is data and 1 is noise."
            )
        dtype = like.dtype if like.is_floating_point() else t.dtype
        return Coef(self, t.to(like.device, dtype).reshape(-1, *[1] * (like.ndim - 1)))

    def t_at(self, half_log_snr: Float[Tensor, "*n"], halvings: int = 60) -> Float[Tensor, "*n"]:
        """The inverse of `half_log_snr`, by bisection: right for every falling schedule."""
        lo, hi = torch.zeros_like(half_log_snr), torch.ones_like(half_log_snr)
        for _ in range(halvings):
            mid = (lo + hi) / 2
            too_clean = self.half_log_snr(mid) > half_log_snr
            lo, hi = torch.where(too_clean, mid, lo), torch.where(too_clean, hi, mid)
        return (lo + hi) / 2

    @cached_property
    def t_max(self) -> float:
        """Where to start when a(1) = 0 and x_0 must be read from eps: the time of DDPM's own terminal SNR."""
        if float(self.a(torch.ones((), dtype=torch.float64))) > 1e-3:
            return 1.0
        return self.t_at(torch.tensor(math.log(TERMINAL_SNR) / 2, dtype=torch.float64)).item()


class Coef:
    """a_t, sigma_t and what follows from them: floats at one time, tensors at one time per example.

    Each value is computed when it is first read, so nobody pays for slopes that nobody uses.
    """

    def __init__(self, schedule: Schedule, t: Tensor):
        self.schedule, self.t = schedule, t

    def _value(self, x: Tensor) -> Number:
        return x.item() if self.t.ndim == 0 else x

    @cached_property
    def a(self) -> Number:
        """How much of the data is left."""
        return self._value(self.schedule.a(self.t))

    @cached_property
    def sigma(self) -> Number:
        """Standard deviation of the noise."""
        return self._value(self.schedule.sigma(self.t))

    @cached_property
    def d_a(self) -> Number:
        """a'_t, the slope in t."""
        return self._value(slope(self.schedule.a, self.t))

    @cached_property
    def d_sigma(self) -> Number:
        """sigma'_t, the slope in t."""
        return self._value(slope(self.schedule.sigma, self.t))

    @cached_property
    def k(self) -> Number:
        """sigma_t / a_t, the noise-to-signal ratio: EDM's sigma."""
        return self._value(self.schedule.sigma(self.t) / self.schedule.a(self.t))

    @cached_property
    def snr(self) -> Number:
        """a_t^2 / sigma_t^2."""
        return self._value((self.schedule.a(self.t) / self.schedule.sigma(self.t)) ** 2)

    @cached_property
    def half_log_snr(self) -> Number:
        """log(a_t / sigma_t)."""
        return self._value(self.schedule.half_log_snr(self.t))


@lru_cache(maxsize=1 << 14)
def _at_number(schedule: Schedule, t: float) -> Coef:
    """A sampler asks for the same few times again and again; floats are also exact to float64 and never
    make an accelerator wait."""
    if not 0 <= t <= 1:
        raise ValueError(f"t = {t}: times lie in [0, 1], 0 is data and 1 is noise.")
    return Coef(schedule, torch.tensor(t, dtype=torch.float64))


def slope(f: Callable[[Tensor], Tensor], t: Tensor) -> Tensor:
    """df/dt of an elementwise f, by reverse mode (forward mode costs milliseconds a call)."""
    with torch.enable_grad():
        t = t.detach().requires_grad_()
        y = f(t)
        return torch.autograd.grad(y.sum(), t)[0] if y.requires_grad else torch.zeros_like(t)
