"""Toy laws in the plane: endless, seeded, standardised.

Each law is drawn in its natural units and mapped to mean 0 and variance 1 per coordinate by constants in
closed form, so that one schedule suits them all. The standardised law is exact: its moments are those
numbers, not estimates.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..oracles import GaussianMixture

Plane = Float[Tensor, "n 2"]


@dataclass(frozen=True)
class Toy:
    """(n, rng) -> n points of (raw - mean) / sqrt(var), on the generator's device.

    `raw` draws in natural units; `mean` and `var` are its exact moments per coordinate.
    """

    raw: Callable[[int, torch.Generator], Plane]
    mean: tuple[float, float]
    var: tuple[float, float]

    def __call__(self, n: int, rng: torch.Generator) -> Plane:
        x = self.raw(n, rng)
        return (x - x.new_tensor(self.mean)) / x.new_tensor(self.var).sqrt()


def _uniform(n: int, rng: torch.Generator) -> Float[Tensor, "n"]:
    return torch.rand(n, generator=rng, device=rng.device)


def _choice(k: int, n: int, rng: torch.Generator) -> Tensor:
    return torch.randint(k, (n,), generator=rng, device=rng.device)


def _circle(angle: Float[Tensor, "n"]) -> Plane:
    return torch.stack([angle.cos(), angle.sin()], 1)


def _blurred(x: Plane, std: float, rng: torch.Generator) -> Plane:
    return x + std * torch.randn(x.shape, generator=rng, device=rng.device)


# Moons: an upper half circle, and a lower one whose centre is (1, 1/2). Within a moon the variances are 1/2
# and 1/2 - (2 / pi)^2; the two means lie 1 and 4 / pi - 1/2 apart.
MOONS_STD = 0.07


def _moons(n: int, rng: torch.Generator) -> Plane:
    arc = _circle(math.pi * _uniform(n, rng))
    upper = _choice(2, n, rng)[:, None] == 0
    return _blurred(torch.where(upper, arc, arc.new_tensor([1.0, 0.5]) - arc), MOONS_STD, rng)


moons = Toy(
    _moons,
    mean=(0.5, 0.25),
    var=(0.75 + MOONS_STD**2, 0.5 - (2 / math.pi) ** 2 + (2 / math.pi - 0.25) ** 2 + MOONS_STD**2),
)


# Swiss roll: phi (cos phi, sin phi), phi uniform on [3/2 pi, 9/2 pi]: arms 2 pi apart. Integration by parts
# gives E[phi cos phi] = 2, E[phi sin phi] = 2 / (3 pi), E[phi^2] = 39/4 pi^2 and E[phi^2 cos 2 phi] = -1/2.
ROLL_STD = 0.5


def _swiss_roll(n: int, rng: torch.Generator) -> Plane:
    phi = math.pi * (1.5 + 3 * _uniform(n, rng))
    return _blurred(phi[:, None] * _circle(phi), ROLL_STD, rng)


swiss_roll = Toy(
    _swiss_roll,
    mean=(2.0, 2 / (3 * math.pi)),
    var=(
        4.875 * math.pi**2 - 0.25 - 4 + ROLL_STD**2,
        4.875 * math.pi**2 + 0.25 - (2 / (3 * math.pi)) ** 2 + ROLL_STD**2,
    ),
)


# Checkerboard: the 8 cells of a 4 x 4 board on [-2, 2]^2 whose indices have an even sum, density 1/8 on each.
# Both coordinates are uniform on [-2, 2], so their variance is 4^2 / 12. Standardised, the density is 1/6.


def _checkerboard(n: int, rng: torch.Generator) -> Plane:
    x = 4 * _uniform(n, rng) - 2
    row = 2 * _choice(2, n, rng) - 2 + x.floor().remainder(2)
    return torch.stack([x, row + _uniform(n, rng)], 1)


checkerboard = Toy(_checkerboard, mean=(0.0, 0.0), var=(4 / 3, 4 / 3))


# Rings: circles of radius 1, 2 and 3, each drawn as often as it is long, so that all are equally dense.
# E[r^2] = (1 + 8 + 27) / (1 + 2 + 3) = 6, and a circle's coordinates have variance r^2 / 2.
RINGS_STD = 0.08


def _rings(n: int, rng: torch.Generator) -> Plane:
    radius = torch.tensor([1.0, 2.0, 2.0, 3.0, 3.0, 3.0], device=rng.device)[_choice(6, n, rng)]
    return _blurred(radius[:, None] * _circle(2 * math.pi * _uniform(n, rng)), RINGS_STD, rng)


rings = Toy(_rings, mean=(0.0, 0.0), var=(3 + RINGS_STD**2, 3 + RINGS_STD**2))


# Eight Gaussians on a circle of radius 2: variance 2^2 / 2 + std^2.
GAUSS8_STD = 0.15
_GAUSS8_VAR = 2 + GAUSS8_STD**2


def _gauss8(n: int, rng: torch.Generator) -> Plane:
    angle = (math.pi / 4) * _choice(8, n, rng).to(torch.get_default_dtype())
    return _blurred(2 * _circle(angle), GAUSS8_STD, rng)


gauss8 = Toy(_gauss8, mean=(0.0, 0.0), var=(_GAUSS8_VAR, _GAUSS8_VAR))


def gauss8_oracle() -> GaussianMixture:
    """The law of `gauss8`, whose denoiser is known in closed form."""
    scale = math.sqrt(_GAUSS8_VAR)
    return GaussianMixture.ring(8, radius=2 / scale, std=GAUSS8_STD / scale)


TOYS: dict[str, Toy] = {
    "moons": moons,
    "swiss_roll": swiss_roll,
    "checkerboard": checkerboard,
    "rings": rings,
    "gauss8": gauss8,
}
