"""Driving futures: a road that forks round an island, a slower car ahead, and four things a driver may do.

    scene = random_scenes(64, rng)       # what is seen, in metres and seconds
    x, which = futures(scene, rng)       # (64, 16, 2) positions every quarter of a second, and manoeuvres
    off_road(x, scene)                   # (64,) does a position lie on neither branch?

All is told from the own car at time 0: it stands at the origin and looks along x, y to the left. The road is
an arc of constant curvature with coordinates (s along it, d to the left of it). Branch 0 has d = 0; branch 1
leaves it to one side. Between the two is the island, and there the mean of both lies.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MANOEUVRES = ("yield", "merge", "accelerate", "brake")
"""Follow the car ahead at its speed; go over to the other branch; go over and speed up; stop."""

PROBABILITIES = (0.3, 0.3, 0.2, 0.2)
STEPS, SECONDS = 16, 4.0
DT = SECONDS / STEPS

FORK_START, FORK_LENGTH, ISLAND = 6.0, 24.0, 9.0
"""Along the road: where branch 1 begins to leave and how long it takes. Across: how far apart they end."""

HALF_WIDTH = 2.0
CAR_LENGTH = 4.0

SPEED_MEAN, SPEED_STD = (9.0, 0.0), (4.5, 2.5)
"""Round numbers near the mean and deviation of the velocities (v_x, v_y), for `velocities`."""


class Scene(NamedTuple):
    """What the driver sees, one value per example.

    speed: of the own car. curvature: of the road, 1 / metres, positive to the left. side: of branch 1, +1
    left and -1 right. gap, other_speed: of the car ahead on branch 0. offset: of the own car from the middle
    of the lane.
    """

    speed: Float[Tensor, "n"]
    curvature: Float[Tensor, "n"]
    side: Float[Tensor, "n"]
    gap: Float[Tensor, "n"]
    other_speed: Float[Tensor, "n"]
    offset: Float[Tensor, "n"]


LOW = Scene(9.0, -0.01, -1.0, 15.0, 4.0, -0.4)  # type: ignore[arg-type]
HIGH = Scene(13.0, 0.01, 1.0, 25.0, 7.0, 0.4)  # type: ignore[arg-type]


def random_scenes(n: int, rng: torch.Generator) -> Scene:
    """Every number uniform between LOW and HIGH, but the side, which is one of the two."""
    u = torch.rand(len(LOW), n, generator=rng, device=rng.device)
    drawn = Scene(*[low + (high - low) * x for low, high, x in zip(LOW, HIGH, u, strict=True)])
    return drawn._replace(side=torch.where(drawn.side < 0, -1.0, 1.0).to(u))


def context(scene: Scene) -> Float[Tensor, "n 6"]:
    """What a network reads: every number brought to [-1, 1]."""
    return torch.stack(
        [2 * (x - low) / (high - low) - 1 for x, low, high in zip(scene, LOW, HIGH, strict=True)], 1
    )


def futures(scene: Scene, rng: torch.Generator) -> tuple[Float[Tensor, "n t 2"], Int[Tensor, "n"]]:
    """One future of each scene and its manoeuvre. Speeds, haste and place in the lane differ each time."""
    n = len(scene.speed)
    weights = torch.tensor(PROBABILITIES, device=rng.device)
    which = torch.multinomial(weights, n, True, generator=rng)
    u = 2 * torch.rand(n, 3, generator=rng, device=rng.device) - 1
    return driven(scene, which, u.to(scene.speed)), which


def prototypes(scene: Scene) -> Float[Tensor, "n m t 2"]:
    """The middle future of every manoeuvre."""
    n, m = len(scene.speed), len(MANOEUVRES)
    tiled = Scene(*[x.repeat_interleave(m) for x in scene])
    which = torch.arange(m, device=scene.speed.device).repeat(n)
    return driven(tiled, which, scene.speed.new_zeros(n * m, 3)).unflatten(0, (n, m))


def driven(scene: Scene, which: Int[Tensor, "n"], u: Float[Tensor, "n 3"]) -> Float[Tensor, "n t 2"]:
    """v(t) = v_end + (v - v_end) exp(-t / tau) along the branch, with an offset that settles elsewhere in the
    lane. u in [-1, 1] moves v_end by 4 %, tau by 15 % and the settled offset by 0.3 m."""
    t = DT * torch.arange(1, STEPS + 1).to(u)
    ends = torch.stack([scene.other_speed, scene.speed, 1.4 * scene.speed, torch.zeros_like(scene.speed)], 1)
    v_end = ends.gather(1, which[:, None]) * (1 + 0.04 * u[:, :1])
    tau = 1.0 + 0.15 * u[:, 1:2]
    s = v_end * t + (scene.speed[:, None] - v_end) * tau * (1 - torch.exp(-t / tau))
    over = ((which == 1) | (which == 2)).to(u)[:, None]
    d = over * branch(s, scene.side[:, None])
    settled = 0.3 * u[:, 2:]
    wander = (scene.offset[:, None] - settled) * torch.exp(-t) + settled
    return on_road(s, d + wander, scene) - own_place(scene)


def branch(s: Float[Tensor, "*n"], side: Float[Tensor, "*m"]) -> Float[Tensor, "*n"]:
    """d of branch 1 at s: a smooth step to one side."""
    u = ((s - FORK_START) / FORK_LENGTH).clamp(0, 1)
    return side * ISLAND * u**2 * (3 - 2 * u)


def on_road(s: Float[Tensor, "n *t"], d: Float[Tensor, "n *t"], scene: Scene) -> Float[Tensor, "n *t 2"]:
    """(s, d) -> (x, y): the point of the arc at s, moved by d along its normal."""
    k = _beside(scene.curvature, s)
    half = torch.sinc(k * s / (2 * torch.pi))  # sin(k s / 2) / (k s / 2)
    x = s * torch.sinc(k * s / torch.pi) - d * torch.sin(k * s)
    y = k * s**2 / 2 * half**2 + d * torch.cos(k * s)
    return torch.stack([x, y], -1)


def along_road(x: Float[Tensor, "n *t 2"], scene: Scene) -> tuple[Tensor, Tensor]:
    """(x, y) -> (s, d), the inverse of `on_road`."""
    x = x + _beside(own_place(scene).flatten(1), x)
    k = _beside(scene.curvature, x[..., 0])
    k = torch.where(k.abs() < 1e-9, 1e-9, k)
    s = torch.atan2(k * x[..., 0], 1 - k * x[..., 1]) / k
    q = k * x.square().sum(-1) - 2 * x[..., 1]
    return s, -q / (1 + torch.sqrt(1 + k * q))


def own_place(scene: Scene) -> Float[Tensor, "n 1 2"]:
    """Where the origin lies as seen from the middle of the lane: `offset` to the left of it."""
    return torch.stack([torch.zeros_like(scene.offset), scene.offset], -1)[:, None]


def off_road(x: Float[Tensor, "n *k t 2"], scene: Scene) -> Bool[Tensor, "n *k"]:
    """Is any position further than half a lane's width from the middle of both branches?"""
    s, d = along_road(x, scene)
    other = branch(s, _beside(scene.side, s))
    return (torch.minimum(d.abs(), (d - other).abs()) > HALF_WIDTH).any(-1)


def other_car(scene: Scene) -> Float[Tensor, "n t 2"]:
    """The car ahead, on branch 0 at its own speed."""
    t = DT * torch.arange(1, STEPS + 1).to(scene.gap)
    s = scene.gap[:, None] + scene.other_speed[:, None] * t
    return on_road(s, torch.zeros_like(s), scene) - own_place(scene)


def collides(x: Float[Tensor, "n *k t 2"], scene: Scene) -> Bool[Tensor, "n *k"]:
    """Does it come closer to the other car than a car's length?"""
    other = other_car(scene)
    other = other.reshape(len(other), *[1] * (x.ndim - 3), *other.shape[1:])
    return ((x - other).norm(dim=-1) < CAR_LENGTH).any(-1)


def velocities(x: Float[Tensor, "*n t 2"]) -> Float[Tensor, "*n t 2"]:
    """What a model generates: velocities between positions, brought to about mean 0 and variance 1."""
    start = torch.zeros_like(x[..., :1, :])
    v = torch.diff(torch.cat([start, x], -2), dim=-2) / DT
    return (v - v.new_tensor(SPEED_MEAN)) / v.new_tensor(SPEED_STD)


def positions(v: Float[Tensor, "*n t 2"]) -> Float[Tensor, "*n t 2"]:
    """The inverse of `velocities`: a path that starts at the origin."""
    return (v * v.new_tensor(SPEED_STD) + v.new_tensor(SPEED_MEAN)).cumsum(-2) * DT


def drives(n: int, rng: torch.Generator) -> tuple[Float[Tensor, "n t 2"], Float[Tensor, "n 6"]]:
    """Training examples: velocities and what was seen."""
    scene = random_scenes(n, rng)
    return velocities(futures(scene, rng)[0]), context(scene)


def _beside(x: Float[Tensor, "n *k"], like: Tensor) -> Tensor:
    """One value (or pair) per scene, ready to broadcast against several futures of it."""
    return x.reshape(len(x), *[1] * (like.ndim - x.ndim), *x.shape[1:])
