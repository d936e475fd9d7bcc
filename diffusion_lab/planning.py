"""How well trajectory models do: forecasts of driving scenes, and trips of the point mass.

scene, truth = unseen_scenes()
scores(forecasts(model, scene, k=16), truth, scene)
outcome(trip(policy(model, rng), random_states(200, rng)))
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from . import zoo
from .data import driving, pointmass
from .data.driving import Scene
from .data.pointmass import State
from .denoisers import Denoise, Denoiser
from .metrics.trajectories import distances, mode_coverage
from .models.context import ContextMLP
from .policies import drawn, receding
from .seeds import rng_at
from .tasks.trajectories import regressed

SAMPLES, STEPS, EXECUTE, TRIP = 16, 20, 8, 48

Plan = Callable[[State], Float[Tensor, "n h 2"]]
RuleMaker = Callable[[Denoise], Denoise]


def unseen_scenes(n: int = 500, seed: int = 0) -> tuple[Scene, Float[Tensor, "n t 2"]]:
    """Scenes that training never saw, and one true future of each."""
    rng = rng_at("test scenes", seed, 0)
    scene = driving.random_scenes(n, rng)
    return scene, driving.futures(scene, rng)[0]


def forecasts(
    model: Denoiser, scene: Scene, k: int = SAMPLES, steps: int = STEPS, seed: int = 0, **how: Any
) -> Float[Tensor, "n k t 2"]:
    """k futures of each scene, in metres. `how` goes to `policies.drawn`."""
    rng = rng_at("forecasts", seed, 0)
    seen = driving.context(scene)
    return driving.positions(drawn(model, seen, (driving.STEPS, 2), steps, rng, k, **how))


@torch.no_grad()
def mean_forecast(model: ContextMLP, scene: Scene) -> Float[Tensor, "n 1 t 2"]:
    """The regression's one future of each scene."""
    return driving.positions(regressed(model, driving.context(scene)))[:, None]


def scores(x: Float[Tensor, "n k t 2"], truth: Float[Tensor, "n t 2"], scene: Scene) -> dict[str, float]:
    """Distances of the best of k in metres, coverage of the four manoeuvres, share of forecasts off the road
    and too close to the other car."""
    best = distances(x, truth)
    measured = {
        "min_ade": best.min_ade,
        "min_fde": best.min_fde,
        "miss_rate": best.miss_rate,
        "mean_ade": best.mean_ade,
        "mode_coverage": mode_coverage(x, driving.prototypes(scene)),
        "off_road": driving.off_road(x, scene).to(x).mean().item(),
        "collisions": driving.collides(x, scene).to(x).mean().item(),
    }
    return {name: round(value, 4) for name, value in measured.items()}


def policy(
    model: Denoiser,
    rng: torch.Generator,
    steps: int = STEPS,
    rule_at: Callable[[State], RuleMaker] = lambda state: lambda denoise: denoise,
    start: float = 1.0,
) -> Plan:
    """State -> a sampled plan of forces. `rule_at(state)` may change the denoiser, as a cost does."""

    def plan(state: State) -> Tensor:
        seen, shape = pointmass.observe(state), (pointmass.HORIZON, 2)
        forces = drawn(model, seen, shape, steps, rng, rule=rule_at(state), start=start)
        return forces[:, 0] * pointmass.FORCE_STD

    return plan


def mean_policy(model: ContextMLP) -> Plan:
    """State -> the regression's plan."""

    @torch.no_grad()
    def plan(state: State) -> Tensor:
        return regressed(model, pointmass.observe(state)) * pointmass.FORCE_STD

    return plan


class Outcome(NamedTuple):
    """Shares of trips: at the goal at the end without a hit, into the disc, past the disc on the left."""

    success: float
    hit: float
    left: float


def trip(plan: Plan, state: State, execute: int = EXECUTE) -> tuple[Float[Tensor, "n t 2"], State]:
    """Places along a trip with a new plan every `execute` steps, and its start."""
    walk = receding(plan, pointmass.advance, state, execute, -(-TRIP // execute))
    return torch.stack([now.place for now in walk], 1)[:, :TRIP], state


def outcome(places: Float[Tensor, "n t 2"], start: State) -> Outcome:
    """How trips ended."""
    hit = pointmass.hits(places, start.disc).any(1)
    there = (places[:, -1] - start.goal).norm(dim=1) < pointmass.REACHED
    beside = (places[..., 0] - start.disc[:, None, 0]).abs().argmin(1)
    left = places[torch.arange(len(places)), beside, 1] > start.disc[:, 1]
    return Outcome(*[share.to(places).mean().item() for share in (there & ~hit, hit, left)])


def pushed_off(state: State, margin: float = 0.1) -> Callable[[Tensor], Tensor]:
    """Cost of a plan of scaled forces: how far its places dip into the disc and its margin, squared."""

    def cost(x0: Float[Tensor, "n t 2"]) -> Float[Tensor, "n"]:
        velocity = state.velocity[:, None] + (x0 * pointmass.FORCE_STD).cumsum(1)
        place = state.place[:, None] + velocity.cumsum(1)
        depth = pointmass.RADIUS + margin - (place - state.disc[:, None]).norm(dim=-1)
        return depth.clamp(min=0).square().sum(1)

    return cost


def of_shipped(name: str) -> dict[str, float]:
    """The scores that go on a card."""
    model: Any = zoo.denoiser(name)
    if name.startswith("driving"):
        scene, truth = unseen_scenes()
        x = forecasts(model, scene) if isinstance(model, Denoiser) else mean_forecast(model, scene)
        return scores(x, truth, scene)
    start = pointmass.random_states(500, rng_at("trips", 0, 0))
    flow = isinstance(model, Denoiser)
    plan = policy(model, rng_at("plans", 0, 0)) if flow else mean_policy(model)
    return {k: round(v, 4) for k, v in outcome(*trip(plan, start))._asdict().items()}
