"""MeanFlow's identity: the target of an average velocity."""

import torch

HINTS = (
    "(t - s) u is the distance from x_s to x_t. Differentiate it along the trajectory with s fixed.",
    "v = u + (t - s) du/dt. du/dt is one Jacobian-vector product: x moves by v, t by 1, s not at all.",
    "_, slope = torch.autograd.functional.jvp(u, (x, t, s), (v, ones, zeros)); v - (t - s) slope.",
)
BOOK = "few-steps#meanflow"


def _u(x, t, s):
    t, s = t[:, None], s[:, None]
    return torch.sin(x * (1 + t)) + s * x.flip(1) + t**2


def cases():
    rng = torch.Generator().manual_seed(0)
    for shape in ((5, 3), (7, 2), (2, 2)):
        x, v = torch.randn(2, *shape, generator=rng)
        t, s = torch.rand(2, shape[0], generator=rng)
        yield _u, x, v, torch.maximum(t, s), torch.minimum(t, s)


def mean_flow_target(u, x, v, t, s):
    """v - (t - s) du/dt, with du/dt along the trajectory: what u(x_t, t, s) must equal (MeanFlow eq. 6).
    u: (x, t, s) -> like x. x, v: (b, d). t, s: (b,). Returns (b, d), detached."""
    along = v, torch.ones_like(t), torch.zeros_like(s)
    _, slope = torch.autograd.functional.jvp(u, (x, t, s), along)
    return (v - (t - s)[:, None] * slope).detach()


def plus(u, x, v, t, s):
    """The sign is turned: v is the average plus (t - s) du/dt, so the average is v minus it."""
    return 2 * v - mean_flow_target(u, x, v, t, s)


def x_stands_still(u, x, v, t, s):
    """Your derivative holds x fixed. Along the trajectory x moves as well, with velocity v."""
    return mean_flow_target(u, x, 0 * v, t, s) + v


def t_stands_still(u, x, v, t, s):
    """Your derivative holds t fixed: u depends on t directly as well, so t's tangent is 1."""
    along = v, torch.zeros_like(t), torch.zeros_like(s)
    _, slope = torch.autograd.functional.jvp(u, (x, t, s), along)
    return (v - (t - s)[:, None] * slope).detach()


def s_moves(u, x, v, t, s):
    """You move s along with t. It is where the jump ends, and stays: its tangent is 0."""
    along = v, torch.ones_like(t), torch.ones_like(s)
    _, slope = torch.autograd.functional.jvp(u, (x, t, s), along)
    return (v - (t - s)[:, None] * slope).detach()


def gap_missing(u, x, v, t, s):
    """du/dt is not multiplied by t - s: at s = t the target must be v itself, plain flow matching."""
    along = v, torch.ones_like(t), torch.zeros_like(s)
    _, slope = torch.autograd.functional.jvp(u, (x, t, s), along)
    return (v - slope).detach()
