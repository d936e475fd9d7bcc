"""Where to spend steps: grids of sampling times, and laws of training times.

A grid falls from the start to exactly 0 and has n + 1 points for n model calls. It lives on the CPU in
float64: samplers read it as plain numbers.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from .coefficients import Schedule

Grid = Float[Tensor, "n_plus_1"]


def uniform(n: int, t_max: float = 1.0) -> Grid:
    """Equal steps in t ("trailing" spacing in other libraries: it starts at the end and skips nothing)."""
    if n < 1 or not 0 < t_max <= 1:
        raise ValueError(
            f"a grid of {n} steps from t_max = {t_max}: give at least 1 step and 0 < t_max <= 1."
        )
    return torch.linspace(t_max, 0, n + 1, dtype=torch.float64)


def karras(schedule: Schedule, n: int, rho: float = 7.0, k_min: float = 0.002, k_max: float = 80.0) -> Grid:
    """k_i = (k_max^(1/rho) + i / (n - 1) (k_min^(1/rho) - k_max^(1/rho)))^rho in k = sigma / a, then 0   (EDM
    eq. 5).

    Both ends are held within what the schedule reaches.
    """
    hi, lo = (k ** (1 / rho) for k in _ends(schedule, n, k_min, k_max))
    return _at_k(schedule, torch.linspace(hi, lo, n, dtype=torch.float64) ** rho)


def log_snr(schedule: Schedule, n: int, k_min: float = 0.002, k_max: float = 80.0) -> Grid:
    """Equal steps in log SNR, then 0: where exponential integrators expect them   (DPM-Solver section
    3.3)."""
    hi, lo = _ends(schedule, n, k_min, k_max)
    return _at_k(schedule, torch.linspace(math.log(hi), math.log(lo), n, dtype=torch.float64).exp())


def shifted(ts: Grid, kappa: float) -> Grid:
    """t -> kappa t / (1 + (kappa - 1) t): more steps among the noise for kappa > 1   (SD3 eq. 23)."""
    if not kappa > 0:
        raise ValueError(f"kappa = {kappa}: a shift needs a number above 0; 1 changes nothing.")
    return kappa * ts / (1 + (kappa - 1) * ts)


def _ends(schedule: Schedule, n: int, k_min: float, k_max: float) -> tuple[float, float]:
    if n < 1 or not 0 < k_min < k_max:
        raise ValueError(
            f"a grid of {n} steps from k = {k_max} to {k_min}: give at least 1 step and 0 < k_min < k_max."
        )
    ends = torch.tensor([1e-9, schedule.t_max], dtype=torch.float64)
    least, most = torch.exp(-schedule.half_log_snr(ends)).tolist()
    return min(k_max, most), max(k_min, least)


def _at_k(schedule: Schedule, k: Tensor) -> Grid:
    return torch.cat([schedule.t_at(-k.log()), k.new_zeros(1)])


Law = Callable[[int, torch.Generator], Float[Tensor, "b"]]
"""(b, rng) -> b training times in (0, 1), on the generator's device."""


def uniform_law(t_min: float = 1e-3, t_max: float = 1.0) -> Law:
    """Independent and uniform   (DDPM algorithm 1 in continuous time)."""
    return lambda b, rng: t_min + (t_max - t_min) * torch.rand(b, generator=rng, device=rng.device)


def stratified_law(t_min: float = 1e-3, t_max: float = 1.0) -> Law:
    """One uniform shift of b evenly spaced times: every batch sees all noise levels   (VDM appendix I.1)."""

    def law(b: int, rng: torch.Generator) -> Float[Tensor, "b"]:
        u = (torch.rand((), generator=rng, device=rng.device) + torch.arange(b, device=rng.device) / b) % 1
        return t_min + (t_max - t_min) * u

    return law


def logit_normal_law(loc: float = 0.0, scale: float = 1.0) -> Law:
    """t = sigmoid(z), z ~ N(loc, scale^2)   (SD3 eq. 19)."""
    return lambda b, rng: torch.sigmoid(loc + scale * torch.randn(b, generator=rng, device=rng.device))


def log_normal_law(schedule: Schedule, loc: float = -1.2, scale: float = 1.2) -> Law:
    """log k ~ N(loc, scale^2) in k = sigma / a, held within the schedule   (EDM table 1)."""

    def law(b: int, rng: torch.Generator) -> Float[Tensor, "b"]:
        log_k = loc + scale * torch.randn(b, generator=rng, device=rng.device)
        return schedule.t_at(-log_k).clamp(1e-5, schedule.t_max)

    return law


LAWS: dict[str, Callable[..., Law]] = {
    "uniform": uniform_law,
    "stratified": stratified_law,
    "logit_normal": logit_normal_law,
    "log_normal": log_normal_law,
}
