"""Average velocities: a network of two times that jumps from t to any s in one call   (MeanFlow, Geng et al.
2025, arXiv 2505.13447).

    u(x_t, t, s) = (x_t - x_s) / (t - s),    where x_s is the ODE's point at s,
    u = v - (t - s) du/dt along the trajectory,

the identity that trains it without a teacher: v is the velocity, and du/dt the change of u along (v, 1, 0) in
(x, t, s). At s = t it is flow matching. Here t > s, data at 0 and noise at 1, on the straight path.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .coefficients import Number
from .denoisers import Rule, times
from .grids import Law
from .processes import Gaussian
from .schedules import Flow
from .steps import Times, falling
from .targets import TARGETS, Prediction


class FlowMap(nn.Module):
    """x_t -> x_s = x_t - (t - s) u(x_t, t, s), with a network (x, t, s) -> u."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net, self.process = net, Gaussian(Flow())

    def forward(self, x: Float[Tensor, "b *d"], t: Number, s: Number) -> Float[Tensor, "b *d"]:
        """u(x_t, t, s)."""
        return self.net(x, times(t, x), times(s, x))

    def on(self, ts: Times) -> Rule:
        """The denoiser whose velocity at each t of the grid is the average one to the next time: `euler`
        along the same grid then jumps by the flow map itself."""
        after = dict(falling(ts))

        def denoise(x: Tensor, t: Number, cond: None = None) -> Prediction:
            if float(t) not in after:
                raise ValueError(
                    f"t = {float(t):.6g} is not on the grid of this flow map: give `on` that grid."
                )
            u = self(x, t, after[float(t)])
            return Prediction(self.process.schedule.at(t, x), x, u, TARGETS["velocity"])

        return Rule(self.process, denoise)


class MeanFlow(nn.Module):
    """|| u(x_t, t, s) - stop_gradient(v - (t - s) du/dt) ||^2, divided by itself + c to the power p
    (MeanFlow algorithm 1).

    share: of the batch with s < t; the rest has s = t and is plain flow matching.
    power: 0 is the plain square, with the marginal velocity at its minimum but large gradients from the few
    points where du/dt is steep; above 0 these count less, and the minimum moves towards a median. The paper
    takes 1 for images. In the plane 1/2 is best after some minutes (benchmarks/few_steps.py --why).
    """

    def __init__(self, model: FlowMap, law: Law, share: float = 0.5, power: float = 0.5, c: float = 1e-2):
        super().__init__()
        self.model, self.law, self.share, self.power, self.c = model, law, share, power, c

    def forward(self, x0: Float[Tensor, "b *d"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        n = len(x0)
        t, s = self.law(n, rng), self.law(n, rng)
        t, s = torch.maximum(t, s), torch.minimum(t, s)
        apart = torch.rand(n, generator=rng, device=rng.device) < self.share
        s = torch.where(apart, s, t)
        noise = self.model.process.noise(x0, rng)
        x = self.model.process.diffuse(x0, t, noise)
        error = residual(self.model, x, noise - x0, t, s).square().flatten(1).mean(1)
        return error / (error.detach() + self.c) ** self.power


def residual(
    model: FlowMap,
    x: Float[Tensor, "b *d"],
    v: Float[Tensor, "b *d"],
    t: Float[Tensor, "b"],
    s: Float[Tensor, "b"],
) -> Float[Tensor, "b *d"]:
    """u - stop_gradient(v - (t - s) du/dt): 0 for the true average velocity and the marginal v   (MeanFlow
    eq. 6). du/dt comes from one Jacobian-vector product along (v, 1, 0)."""
    along = (v, torch.ones_like(t), torch.zeros_like(s))
    u, slope = torch.func.jvp(model, (x, t, s), along)  # type: ignore[misc]
    gap = (t - s).reshape(-1, *[1] * (x.ndim - 1))
    return u - (v - gap * slope).detach()
