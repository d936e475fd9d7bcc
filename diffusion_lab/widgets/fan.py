"""The trajectory fan: sampled futures of a driving scene against one regression, along the reverse steps."""

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .. import grids, planning, zoo
from ..data import driving
from ..data.driving import MANOEUVRES, Scene
from ..denoisers import given
from ..metrics.trajectories import MISS, distances
from ..samplers import euler
from ..seeds import rng_at
from ..tasks.trajectories import TASKS
from .part import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = 200
"""Whole numbers to a metre, in 16 bits: half a centimetre, up to 163 m."""

SAMPLES, STEPS = 16, 10
SCENES, SHOWN = 60, (2, 7, 6, 5, 8)
"""Of `planning.unseen_scenes(60)`: every manoeuvre happens, and in the fourth scene the samples miss one of
them."""


class Fan(NamedTuple):
    """Scenes with what happened, the middle of each manoeuvre, the regression's path, and the sampler's walk:
    x_1 and the belief about x_0 at each step, all in metres from the car."""

    scene: Scene
    truth: Float[Tensor, "n t 2"]
    modes: Float[Tensor, "n m t 2"]
    mean: Float[Tensor, "n 1 t 2"]
    start: Float[Tensor, "n k t 2"]
    beliefs: Float[Tensor, "s n k t 2"]


def walked(shown: tuple[int, ...] = SHOWN, k: int = SAMPLES, steps: int = STEPS, seed: int = 0) -> Fan:
    """Euler on the shipped flow, one batch for all scenes. Step i believes at t = 1 - i / steps; the last
    belief is the sample."""
    flow, mean = (TASKS[name].untrained() for name in ("driving", "driving-regression"))
    zoo.fill(flow, "driving")
    zoo.fill(mean, "driving-regression")
    every, truth = planning.unseen_scenes(SCENES)
    at = torch.tensor(shown)
    scene = Scene(*[x[at] for x in every])
    seen = driving.context(scene).repeat_interleave(k, 0)
    like = torch.empty(k, driving.STEPS, 2)
    noise = torch.cat([flow.process.noise(like, rng_at("fan", seed, n)) for n in shown])
    with torch.no_grad():
        walk = list(euler(given(flow, seen), noise, grids.uniform(steps)))

    def places(v: Tensor) -> Tensor:
        return driving.positions(v).unflatten(0, (len(shown), k))

    beliefs = torch.stack([places(step.pred.x0) for step in walk[:-1] if step.pred is not None])
    modes, mean_path = driving.prototypes(scene), planning.mean_forecast(mean, scene)
    return Fan(scene, truth[at], modes, mean_path, places(noise), beliefs)


def road(scene: Scene) -> Float[Tensor, "n lines s 2"]:
    """Both edges of both branches."""
    s = torch.linspace(0, 70, 24).expand(len(scene.speed), -1)
    other = driving.branch(s, scene.side[:, None])
    edges = [middle + side * driving.HALF_WIDTH for middle in (0 * s, other) for side in (-1, 1)]
    return torch.stack([driving.on_road(s, d, scene) - driving.own_place(scene) for d in edges], 1)


def packed(frames: Float[Tensor, "..."]) -> str:
    """Metres as 16-bit whole numbers in base64; what lies beyond is held at the end."""
    whole = (frames * UNITS).round().clamp(-32768, 32767).to(torch.int16).numpy()
    return base64.b64encode(whole.astype("<i2").tobytes()).decode()


def rounded(lines: Float[Tensor, "..."]) -> Any:
    """Nested lists of metres with three digits after the point."""
    return np.round(lines.double().numpy(), 3).tolist()


def trajectory_fan() -> Part:
    """Choose a scene and a number of samples, and walk from noise to futures."""
    fan = walked()
    happened = (fan.truth[:, None] - fan.modes).norm(dim=-1).mean(-1).argmin(1)
    edges = road(fan.scene)
    scenes = [
        {
            "name": f"{name}: the driver {HAPPENED[MANOEUVRES[int(happened[i])]]}",
            "frames": packed(torch.cat([fan.start[None], fan.beliefs])[:, i]),
            "truth": rounded(fan.truth[i].flatten()),
            "modes": rounded(fan.modes[i].flatten(1)),
            "regression": rounded(fan.mean[i, 0].flatten()),
            "road": rounded(edges[i].flatten(1)),
        }
        for i, name in enumerate("ABCDE")
    ]
    data = {
        "scenes": scenes,
        "units": UNITS,
        "steps": STEPS,
        "samples": SAMPLES,
        "points": driving.STEPS,
        "radius": MISS,
        "manoeuvres": MANOEUVRES,
    }
    best, mean = (distances(x[:1], fan.truth[:1]).min_ade for x in (fan.beliefs[-1], fan.mean))
    alt = (
        f"Scene A. At t = 1 {SAMPLES} beliefs about a car's future lie near the regression's one path, "
        "between the branches of the road; at t = 0 they have fanned out over the manoeuvres. "
        f"Best sample {best:.2f} m off, regression {mean:.2f} m."
    )
    return Part("fan.mjs", "Trajectory fan", data, drawn(fan, edges), alt)


HAPPENED = {"yield": "yields", "merge": "merges", "accelerate": "merges and speeds up", "brake": "brakes"}


def drawn(fan: Fan, edges: Float[Tensor, "n lines s 2"]) -> "Figure":
    """The first scene at the first and the last step."""
    from matplotlib.figure import Figure

    figure = Figure((8, 2.8), layout="constrained")
    for axes, step, t in zip(figure.subplots(1, 2, sharey=True), (0, -1), ("1", "0"), strict=True):
        for edge in edges[0]:
            axes.plot(*edge.T, color="0.7", linewidth=1)
        for path in fan.beliefs[step, 0]:
            axes.plot(*path.T, color="C0", linewidth=0.8)
        axes.plot(*fan.mean[0, 0].T, "--s", color="C1", linewidth=2.5, markevery=[-1], label="regression")
        axes.plot(*fan.truth[0].T, ":o", color="k", linewidth=2, markevery=[-1], label="what happened")
        axes.set(title=f"beliefs at t = {t}", xlabel="metres ahead", xlim=(0, 62), ylim=(-16, 12))
    axes.legend(fontsize=8)
    return figure
