"""Guidance rules compared where the truth is known, and on digits.

    python -m benchmarks.guidance               # --toys leaves the digits out

Toys: exact denoisers, so all that differs is the rule. Two modes on a line (the class is the right one), then
a class of two round modes in the plane, one near the other class and one far from it. The tilted law
p(x) p(c|x)^w is drawn exactly, by keeping draws of p(x|c) with probability p(c|x)^(w - 1). Rescaling needs a
standard deviation within each example, so it is left to the digits.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from diffusion_lab import grids, guidance, quality, zoo
from diffusion_lab.data import load_digits
from diffusion_lab.denoisers import Denoise, given
from diffusion_lab.metrics.points import sliced_wasserstein
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import Step, ancestral, ddim, final, heun
from diffusion_lab.schedules import VP
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks import TASKS

from .machine import machine, table
from .trained import trained

PROCESS = Gaussian(VP())
LINE = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]).double(), 0.5)
MODES = torch.tensor([[-0.5, 1.5], [-2.0, -1.5], [0.5, 1.5], [2.0, -1.5]]).double()
PLANE = GaussianMixture.isotropic(MODES, 0.5, labels=torch.tensor([0, 0, 1, 1]))
CLASS = torch.tensor([1])
N, STEPS = 10_000, 200

Walk = Callable[[Denoise, Tensor, Tensor], Iterator[Step]]
Maker = Callable[[Denoise, Denoise, float], Denoise]
"""(conditional, unconditional, w) -> the guided denoiser."""


def sampled(rule: Denoise, walk: Walk, d: int, n: int = N) -> Tensor:
    """n points by a sampler on a Karras grid."""
    ts = grids.karras(PROCESS.schedule, STEPS)
    noise = torch.randn(n, d, generator=rng_at("guidance", 0, 0), dtype=torch.float64)
    return final(walk(rule, PROCESS.prior(noise, ts[0].item()), ts))


def tilted(law: GaussianMixture, w: float, n: int = N) -> Tensor:
    """Draws of p(x) p(c|x)^w, w >= 1."""
    rng = rng_at("tilted", 0, 0)
    x, label = law.sample(8 * n, rng)
    x = x[label == CLASS]
    log_keep = (w - 1) * law.class_log_prob(PROCESS, x, 1e-6)[:, 1]
    return x[torch.rand(len(x), generator=rng).log() < log_keep][:n]


def halves(law: GaussianMixture) -> tuple[Denoise, Denoise]:
    """The class's denoiser and everyone's."""
    denoise = law.denoiser(PROCESS)
    return given(denoise, CLASS), given(denoise, torch.tensor([law.null]))


def line() -> str:
    """Mean / standard deviation of what each samples on the line."""
    good, free = halves(LINE)
    stochastic = partial(ancestral, rng=rng_at("ancestral", 0, 0))

    def said(x: Tensor) -> str:
        return f"{x.mean():.2f} / {x.std():.2f}"

    rows = []
    for w in (1.0, 2.0, 4.0, 7.5):
        rule = guidance.extrapolate(good, free, w)
        rows.append(
            [f"{w:g}", *map(said, (tilted(LINE, w), sampled(rule, heun, 1), sampled(rule, stochastic, 1)))]
        )
    return table(["w, mean / std", "tilted law", "CFG, ODE", "CFG, SDE"], rows)


def blurred(law: GaussianMixture, factor: float) -> Denoise:
    """The class as a less trained model would know it: each mode wider by a factor."""
    wide = replace(law, covs=law.covs * factor**2)
    return given(wide.denoiser(PROCESS), CLASS)


FIFTY = grids.karras(PROCESS.schedule, 50)


def plus_plus(good: Denoise, free: Denoise, w: float) -> Denoise:
    """CFG++ with lam = w / 12.5. Its scale grows with the number of steps: it is compared at 50."""
    return guidance.extrapolate(good, free, guidance.plus_plus(w / 12.5, PROCESS.schedule, FIFTY))


RULES: dict[str, tuple[Maker, Walk]] = {
    "CFG, ODE": (guidance.extrapolate, heun),
    "CFG, SDE": (guidance.extrapolate, partial(ancestral, rng=rng_at("ancestral", 0, 0))),
    "interval, t in (0.15, 0.5]": (
        lambda good, free, w: guidance.extrapolate(good, free, guidance.interval(w, 0.15, 0.5)),
        heun,
    ),
    "dynamic threshold, limit 2": (
        lambda good, free, w: guidance.thresholded(guidance.extrapolate(good, free, w), 0.995, 2.0),
        heun,
    ),
    "APG, eta = 0": (guidance.projected, heun),
    "APG, eta = 0, radius 0.5": (partial(guidance.projected, radius=0.5), heun),
    "CFG++, lam = w / 12.5, 50 DDIM steps": (plus_plus, lambda rule, x, _: ddim(rule, x, FIFTY)),
    "autoguidance, blurred x 1.5": (
        lambda good, _, w: guidance.extrapolate(good, blurred(PLANE, 1.5), w),
        heun,
    ),
}


def seen(x: Tensor, w: float) -> list[str]:
    """Of points in the plane: p(c|x), the share at the near mode, spread round the modes, distances."""
    p = PLANE.class_log_prob(PROCESS, x, 1e-6)[:, 1].exp().mean()
    near = x[:, 1] > 0
    centre = torch.stack([x[part].mean(0) for part in (~near, near)])[near.long()]
    spread = (x - centre).square().mean().sqrt()
    k = min(len(x), 5000)
    real = PLANE.sample(4 * k, rng_at("class", 0, 0))
    law = real[0][real[1] == CLASS][:k]
    gaps = (sliced_wasserstein(x[:k], other[:k]) for other in (law, tilted(PLANE, w, k)))
    return [f"{p:.3f}", f"{near.double().mean():.3f}", f"{spread:.3f}", *[f"{gap:.3f}" for gap in gaps]]


def plane(w: float) -> str:
    """What each rule samples in the plane at one w."""
    good, free = halves(PLANE)
    rows = [["p(x|c)", *seen(sampled(good, heun, 2), w)], ["tilted law, exact", *seen(tilted(PLANE, w), w)]]
    for name, (make, walk) in RULES.items():
        rows.append([name, *seen(sampled(make(good, free, w), walk, 2), w)])
    header = [f"w = {w:g}", "p(c given x)", "near mode", "spread", "SW to p(x|c)", "SW to tilted"]
    return table(
        [h.replace("|", " given ") for h in header], [[c.replace("|", " given ") for c in r] for r in rows]
    )


def digits() -> str:
    """896 digits by every rule: what the shipped classifier says of them, and pixels beyond the range."""
    model, labels = zoo.denoiser("digits"), load_digits(split="test")[1]
    weak = replace(TASKS["digits"], recipe=replace(TASKS["digits"].recipe, steps=250))
    good, free = given(model, labels), given(model, torch.full_like(labels, 10))
    worse, schedule = given(trained(weak.trainer()).model, labels), model.process.schedule
    ts = grids.uniform(15)
    rules: dict[str, Callable[[float], Denoise]] = {
        "CFG": lambda w: guidance.extrapolate(good, free, w),
        "rescaled, phi = 0.7": lambda w: guidance.extrapolate(good, free, w, guidance.rescaled(0.7)),
        "interval, t in (0.2, 0.7]": lambda w: guidance.extrapolate(
            good, free, guidance.interval(w, 0.2, 0.7)
        ),
        "dynamic threshold": lambda w: guidance.thresholded(guidance.extrapolate(good, free, w)),
        "APG, eta = 0": lambda w: guidance.projected(good, free, w),
        "CFG++, lam = w / 12.5": lambda w: guidance.extrapolate(
            good, free, guidance.plus_plus(w / 12.5, schedule, ts)
        ),
        "autoguidance, 1 / 10 of the training": lambda w: guidance.extrapolate(good, worse, w),
    }
    rows = []
    for name, make in rules.items():
        for w in (1.0, 2.0, 4.0, 8.0) if name == "CFG" else (4.0,):
            x = torch.randn(len(labels), 1, 8, 8, generator=rng_at("digits", 0, 0))
            with torch.no_grad():
                x = final(ddim(make(w), x, ts))
            scores = quality.digit_scores(x, labels)
            names = ("accuracy", "recall", "precision", "frechet_in_floors")
            beyond = (x.abs() > 1.05).double().mean()
            rows.append([f"{name}, w = {w:g}", *[f"{scores[k]:.3f}" for k in names], f"{beyond:.3f}"])
    header = ["15 DDIM steps", "accuracy", "recall", "precision", "Frechet / floor", "pixels beyond 1.05"]
    return table(header, rows)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", action="store_true", help="leave the digits out")
    asked = parser.parse_args()
    print(machine(), "\n")
    print(line(), "\n")
    for w in (2.0, 4.0, 7.5):
        print(plane(w), "\n")
    if not asked.toys:
        print(digits())


if __name__ == "__main__":
    main()
