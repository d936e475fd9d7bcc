"""Receding horizon: plan far, act briefly, look again."""

import torch

HINTS = (
    "Two loops: rounds outside; inside, the first few actions of that round's plan.",
    "The plan of a round is made once, at its start, from the state as it is then.",
    "for each round: for action in plan(state)[:execute]: state = advance(state, action), and keep it.",
)
BOOK = "modalities#trajectories"


def _plan(state):
    return torch.stack([0.5 * state + k for k in range(5)])


def _advance(state, action):
    return 0.9 * state + action


def cases():
    rng = torch.Generator().manual_seed(0)
    for execute, rounds in ((2, 3), (3, 2), (4, 5)):
        yield _plan, _advance, torch.randn(3, 2, generator=rng), execute, rounds


def receding_states(plan, advance, state, execute, rounds):
    """The state after every action: `execute` actions of each plan, then a new plan. plan: state -> (h, ...),
    the next action first. advance: (state, action) -> state. Returns a list of execute x rounds states."""
    seen = []
    for _ in range(rounds):
        for action in plan(state)[:execute]:
            state = advance(state, action)
            seen.append(state)
    return seen


def whole_plan(plan, advance, state, execute, rounds):
    """You carry out whole plans. The tail of a plan is stale: only its first `execute` actions count."""
    return receding_states(plan, advance, state, len(plan(state)), rounds)


def planned_for_every_action(plan, advance, state, execute, rounds):
    """You plan anew for every action: that is execute = 1, and costs `execute` times as much."""
    return receding_states(plan, advance, state, 1, execute * rounds)


def never_looks(plan, advance, state, execute, rounds):
    """Every plan is made from the first state: look again before each round."""
    start, seen = state, []
    for _ in range(rounds):
        for action in plan(start)[:execute]:
            state = advance(state, action)
            seen.append(state)
    return seen


def once_a_round(plan, advance, state, execute, rounds):
    """You keep one state per round: keep the one after every action."""
    return receding_states(plan, advance, state, execute, rounds)[execute - 1 :: execute]
