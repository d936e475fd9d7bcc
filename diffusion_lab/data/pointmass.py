"""A point mass that goes round a disc to its goal, to the left or to the right: the smallest action task.

    state = random_states(64, rng)              # at rest on the left, goal on the right, disc between
    seen, forces = windows(64, rng)             # of an expert: (64, 6) and the next (64, 16, 2) forces

Half of the experts go left and half go right, and nothing that is seen says which: the mean of both hits the
disc. Lengths are in units of the table's half side, a step is the unit of time.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

RADIUS, MARGIN = 0.35, 0.12
TOP_SPEED = 0.12
HORIZON, DEMO = 16, 40
REACHED = 0.1
FORCE_STD = 0.012
"""About the deviation of an expert's force."""


class State(NamedTuple):
    """Where the point is, how fast it goes, and what it has to deal with."""

    place: Float[Tensor, "n 2"]
    velocity: Float[Tensor, "n 2"]
    disc: Float[Tensor, "n 2"]
    goal: Float[Tensor, "n 2"]


def random_states(n: int, rng: torch.Generator) -> State:
    """Start near (-1, 0), goal near (1, 0), disc near the middle."""
    u = 2 * torch.rand(n, 6, generator=rng, device=rng.device) - 1
    centres = u.new_tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    spread = u.new_tensor([[0.1, 0.3], [0.1, 0.3], [0.1, 0.1]])
    start, goal, disc = (centres + spread * u.unflatten(1, (3, 2))).unbind(1)
    return State(start, torch.zeros_like(start), disc, goal)


def advance(state: State, force: Float[Tensor, "n 2"]) -> State:
    """v + force, then x + v."""
    velocity = state.velocity + force
    return state._replace(place=state.place + velocity, velocity=velocity)


def observe(state: State) -> Float[Tensor, "n 6"]:
    """What a policy sees: goal and disc from where it stands, and its velocity, each of size about 1."""
    return torch.cat([state.goal - state.place, state.disc - state.place, state.velocity / TOP_SPEED], 1)


def expert(state: State, turn: Float[Tensor, "n"]) -> Float[Tensor, "n 2"]:
    """The force towards a desired velocity: at the goal, or past the disc on the side `turn` (+1 left, -1
    right) while the straight way is blocked."""
    to_goal, to_disc = state.goal - state.place, state.disc - state.place
    distance = to_disc.norm(dim=1).clamp(min=RADIUS + MARGIN + 1e-3)
    angle = torch.asin((RADIUS + MARGIN) / distance) * turn
    tangent = torch.stack(
        [
            to_disc[:, 0] * angle.cos() - to_disc[:, 1] * angle.sin(),
            to_disc[:, 0] * angle.sin() + to_disc[:, 1] * angle.cos(),
        ],
        1,
    )
    aim = torch.where(blocked(state)[:, None], tangent, to_goal)
    length = aim.norm(dim=1, keepdim=True).clamp(min=1e-9)
    wanted = aim / length * torch.clamp(0.5 * to_goal.norm(dim=1, keepdim=True), max=TOP_SPEED)
    return 0.5 * (wanted - state.velocity)


def blocked(state: State) -> Bool[Tensor, "n"]:
    """Does the straight line to the goal pass the disc within its margin?"""
    to_goal, to_disc = state.goal - state.place, state.disc - state.place
    share = (to_disc * to_goal).sum(1) / to_goal.square().sum(1).clamp(min=1e-9)
    closest = (share.clamp(0, 1)[:, None] * to_goal - to_disc).norm(dim=1)
    return (share > 0) & (closest < RADIUS + MARGIN)


def demonstrations(n: int, rng: torch.Generator) -> tuple[list[State], Float[Tensor, "n t 2"]]:
    """DEMO steps of n experts who each choose a side by a coin: states before each force, and forces."""
    state = random_states(n, rng)
    turn = torch.where(torch.rand(n, generator=rng, device=rng.device) < 0.5, -1.0, 1.0).to(state.place)
    states, forces = [], []
    for _ in range(DEMO):
        force = expert(state, turn)
        states.append(state)
        forces.append(force)
        state = advance(state, force)
    return states, torch.stack(forces, 1)


def windows(n: int, rng: torch.Generator) -> tuple[Float[Tensor, "n t 2"], Float[Tensor, "n 6"]]:
    """Training examples: the next HORIZON forces over FORCE_STD, from a random moment of a demonstration, and
    what was seen at that moment."""
    states, forces = demonstrations(n, rng)
    start = torch.randint(DEMO - HORIZON + 1, (n,), generator=rng, device=rng.device)
    rows = torch.arange(n, device=rng.device)
    seen = torch.stack([observe(s) for s in states], 1)[rows, start]
    ahead = start[:, None] + torch.arange(HORIZON, device=rng.device)
    return forces[rows[:, None], ahead] / FORCE_STD, seen


def hits(place: Float[Tensor, "n *t 2"], disc: Float[Tensor, "n 2"]) -> Bool[Tensor, "n *t"]:
    """Is the point inside the disc?"""
    disc = disc.reshape(len(disc), *[1] * (place.ndim - 2), 2)
    return (place - disc).norm(dim=-1) < RADIUS
