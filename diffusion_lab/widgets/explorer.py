"""The schedule explorer: a_t, sigma_t and log SNR of five schedules, with every number at one t."""

from typing import TYPE_CHECKING

import torch

from ..coefficients import Schedule
from ..errors import lookup
from ..schedules import SCHEDULES
from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXPLORED = {
    "linear": "DDPM's table",
    "scaled_linear": "Stable Diffusion's table",
    "vp": "variance preserving",
    "cosine": "cosine",
    "flow": "straight line",
}
"""Names of `SCHEDULES` that the page can draw."""


def schedule_explorer(schedule: str = "scaled_linear", other: str = "cosine", t: float = 0.5) -> Part:
    """Two schedules on one ruler, the first one shifted, rescaled and read off at t."""
    for name in (schedule, other):
        lookup(name, EXPLORED, "schedule")
    if not 0 <= t <= 1:
        raise ValueError(f"t = {t}: times lie in [0, 1], 0 is data and 1 is noise.")
    at = SCHEDULES[schedule]().at(t, torch.empty(0))
    end = SCHEDULES[schedule]().at(1.0, torch.empty(0))
    alt = (
        f"Left: a and sigma against time for {EXPLORED[schedule]} (thick) and {EXPLORED[other]} (thin). "
        f"Right: their log SNR. At t = {t} a = {at.a:.3f}, sigma = {at.sigma:.3f}; "
        f"at t = 1 SNR = {end.snr:.2g}."
    )
    data = {"schedule": schedule, "other": other, "t": t}
    return Part("explorer.mjs", "Schedule explorer", data, drawn(schedule, other), alt)


def drawn(schedule: str, other: str) -> "Figure":
    """The first view."""
    from matplotlib.figure import Figure

    figure = Figure((7, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    t = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
    for name, width in ((schedule, 2.5), (other, 1.0)):
        one: Schedule = SCHEDULES[name]()
        left.plot(t, one.a(t), color="C0", linewidth=width, label=f"a, {EXPLORED[name]}")
        left.plot(t, one.sigma(t), "--", color="C1", linewidth=width, label=f"sigma, {EXPLORED[name]}")
        right.plot(t, 2 * one.half_log_snr(t), linewidth=width, label=EXPLORED[name])
    left.set(xlabel="t")
    right.set(xlabel="t", ylabel="log SNR", ylim=(-15, 15))
    for axes in (left, right):
        axes.legend(fontsize=7)
    return figure
