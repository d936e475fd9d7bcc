"""Guidance with an exact p(c|x): what it samples on a line, beside the tilted law."""

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .. import grids
from ..guidance import cfg
from ..oracles import GaussianMixture
from ..processes import Gaussian
from ..samplers import ancestral, final, heun
from ..schedules import VP
from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

W, GAP, STD, DRAWS = 4.0, 1.0, 0.5, 3000
PROCESS, STEPS = Gaussian(VP()), 200


class Seen(NamedTuple):
    """Mean and standard deviation of one law; its density as (n, 2), or draws as (n, 1)."""

    mean: float
    std: float
    shown: Float[Tensor, "n d"]


def guidance_lab() -> Part:
    """Two classes of deviation 0.5 at -1 and 1, the right one guided with w = 4."""
    found = {"tilted law": tilted(W), "CFG, ODE": by_ode(W), "CFG, SDE": by_sde(W)}
    said = "; ".join(f"{name} {seen.mean:.2f} and {seen.std:.2f}" for name, seen in found.items())
    alt = (
        f"Densities on a line at w = {W:g}. Mean and standard deviation: {said}. "
        "Guidance overshoots the tilted law."
    )
    return Part("guided.mjs", "Guidance, p(c|x) known", {"w": W, "gap": GAP, "std": STD}, drawn(found), alt)


def classes() -> GaussianMixture:
    """Class 0 at -1, class 1 at 1."""
    return GaussianMixture.isotropic(torch.tensor([[-GAP], [GAP]], dtype=torch.float64), STD)


def moments(x: Float[Tensor, "n"], mass: Float[Tensor, "n"]) -> tuple[float, float]:
    """Mean and standard deviation of masses at places."""
    share = mass / mass.sum()
    mean = (share * x).sum()
    return mean.item(), (share * (x - mean) ** 2).sum().sqrt().item()


def tilted(w: float) -> Seen:
    """p(x) p(c|x)^w, normalised by quadrature."""
    x = torch.linspace(-10, 10, 2001, dtype=torch.float64)[:, None]
    log_c = classes().class_log_prob(PROCESS, x, 0.0)[:, 1]
    p = torch.exp(classes().log_prob(PROCESS, x, 0.0) + w * log_c)
    p = p / (p.sum() * 0.01)
    return Seen(*moments(x[:, 0], p), torch.stack([x[:, 0], p], 1))


def by_ode(w: float) -> Seen:
    """The guided ODE is a rising map of the line: how far apart the nodes of a grid end gives its density."""
    z = torch.arange(-180, 181, dtype=torch.float64)[:, None] / 40
    ends = walked(w, z, None)[:, 0]
    mass = torch.exp(-(z[:, 0] ** 2) / 2)
    middle = (ends[1:] + ends[:-1]) / 2
    height = (mass[1:] + mass[:-1]) / 2 / mass.sum() / ends.diff()
    return Seen(*moments(ends, mass), torch.stack([middle, height], 1))


def by_sde(w: float) -> Seen:
    """Draws of the guided reverse SDE."""
    rng = torch.Generator().manual_seed(0)
    ends = walked(w, torch.randn(DRAWS, 1, generator=rng, dtype=torch.float64), rng)
    return Seen(*moments(ends[:, 0], torch.ones(DRAWS, dtype=torch.float64)), ends)


def walked(w: float, noise: Float[Tensor, "n 1"], rng: torch.Generator | None) -> Float[Tensor, "n 1"]:
    """Guided samples: by Heun's method on the ODE, or with noise by ancestral sampling."""
    rule = cfg(classes().denoiser(PROCESS), torch.tensor([1]), torch.tensor([classes().null]), w)
    ts = grids.karras(PROCESS.schedule, STEPS)
    x = PROCESS.prior(noise, ts[0].item())
    return final(heun(rule, x, ts) if rng is None else ancestral(rule, x, ts, rng))


def drawn(found: dict[str, Seen]) -> "Figure":
    """Curves of two densities over a histogram of the draws."""
    from matplotlib.figure import Figure

    figure = Figure((6.4, 2.8), layout="constrained")
    axes = figure.subplots()
    own = tilted(1.0)
    axes.plot(*own.shown.T, "k:", linewidth=1.5, label=f"p(x|c): {own.mean:.2f} / {own.std:.2f}")
    for (name, seen), style in zip(found.items(), ("-", "--", ""), strict=True):
        label = f"{name}: {seen.mean:.2f} / {seen.std:.2f}"
        if style:
            axes.plot(*seen.shown.T, style, linewidth=2.5, label=label)
        else:
            axes.hist(seen.shown[:, 0].numpy(), bins=40, density=True, histtype="step", label=label)
    axes.set(xlim=(-3, 3.5), xlabel="x", title=f"w = {W:g}, mean / deviation")
    axes.legend(fontsize=8, loc="upper left")
    return figure
