"""Few-step models: objectives that teach a network where the ODE leads, and not only where it points.

    trainer = Trainer(Consistency(model, grids.uniform(10) ** 2), batches, recipe)
    x0 = final(consistency(trainer.averaged, noise, [1.0, 0.5, 0.0]))

Consistency models and progressive distillation are ordinary denoisers whose x_0_hat is the end of the
trajectory instead of the mean: the samplers of `samplers.py` serve them. On the straight path with a
velocity target, x_0_hat = x_t - t u meets the boundary condition f(x, 0) = x by itself. Average velocities
need a second time and live in `meanflow.py`.

Two choices decide how good a consistency model gets (benchmarks/few_steps.py --why). Its grid: the interval
that ends at the data teaches E[x_0 | x_t], which narrows every mode, so intervals shrink towards the data.
And how the network sees t: with the fast waves of a diffusion network neighbouring times have little in
common, and calls between the times of the grid go wrong. `models/flowmap.py` has slow waves; Song & Dhariwal
2024 slow theirs down too.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .denoisers import Denoise, Denoiser
from .steps import Times, floats
from .targets import encode


def pseudo_huber(x: Float[Tensor, "b *d"], y: Float[Tensor, "b *d"], c: float = 0.03) -> Float[Tensor, "b"]:
    """sqrt(|| x - y ||^2 / d + c^2) - c per example: squared near 0, absolute far away   (Song & Dhariwal
    2024, section 3.3, with the mean over the d values)."""
    return torch.sqrt((x - y).square().flatten(1).mean(1) + c**2) - c


class Consistency(nn.Module):
    """huber(f(x_t, t), stop_gradient f(x_s, s)) / (t - s) for neighbours s < t of a grid: both lie on
    one trajectory, so that f must be the same, and f(x, 0) = x   (consistency models, algorithms 2 and 3, but
    with the loss of Song & Dhariwal 2024 and no averaged target, as there).

    With a teacher, x_s is its DDIM step from x_t: consistency distillation. Without one, x_s keeps the x_0
    and the noise of x_t, which is that step on average: consistency training.
    """

    ts: Tensor

    def __init__(self, model: Denoiser, ts: Times, teacher: Denoise | None = None):
        super().__init__()
        self.model, self.teacher = model, teacher
        self.register_buffer("ts", torch.tensor(floats(ts), dtype=torch.float64), persistent=False)

    def forward(self, x0: Float[Tensor, "b *d"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        t, s = neighbours(self.ts, x0, rng)
        process = self.model.process
        noise = process.noise(x0, rng)
        x = process.diffuse(x0, t, noise)
        with torch.no_grad():
            if self.teacher is None:
                earlier = process.diffuse(x0, s, noise)
            else:
                earlier = ddim_step(self.teacher, x, t, s, cond)
            target = end(self.model, earlier, s, cond)
        return pseudo_huber(self.model(x, t, cond).x0, target) / (t - s)


def neighbours(
    ts: Float[Tensor, "n"], x0: Float[Tensor, "b *d"], rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """For each example a random interval (t, s) of a falling grid."""
    i = torch.randint(len(ts) - 1, (len(x0),), generator=rng, device=rng.device)
    return ts[i].to(x0), ts[i + 1].to(x0)


def end(model: Denoiser, x: Float[Tensor, "b *d"], s: Float[Tensor, "b"], cond: Any) -> Tensor:
    """f(x_s, s): the model's x_0_hat, and x itself where s = 0."""
    x0 = model(x, s.clamp(min=1e-6), cond).x0
    return torch.where((s == 0).reshape(-1, *[1] * (x.ndim - 1)), x, x0)


def ddim_step(denoise: Denoise, x: Tensor, t: Tensor, s: Tensor, cond: Any = None) -> Tensor:
    """x_s = a_s x_0_hat + sigma_s eps_hat, each example from its own t to its own s   (DDIM eq. 12)."""
    c = denoise.process.schedule.at(s, x)
    return denoise(x, t, cond).combine(c.a, c.sigma)


class Halving(nn.Module):
    """One DDIM step of the student from t to s is two of the teacher's: || y* - net(x_t, t) ||^2 where y* is
    the output whose DDIM step ends where the teacher's two do   (Salimans & Ho 2022, algorithm 2).

    ts: the student's grid. Teach with it, then let the student teach a grid of half as many steps.
    """

    ts: Tensor

    def __init__(self, model: Denoiser, teacher: Denoise, ts: Times):
        super().__init__()
        self.model, self.teacher = model, teacher
        self.register_buffer("ts", torch.tensor(floats(ts), dtype=torch.float64), persistent=False)

    def forward(self, x0: Float[Tensor, "b *d"], cond: Any, rng: torch.Generator) -> Float[Tensor, "b"]:
        t, s = neighbours(self.ts, x0, rng)
        process, middle = self.model.process, (t + s) / 2
        x = process.diffuse(x0, t, process.noise(x0, rng))
        with torch.no_grad():
            x_s = ddim_step(self.teacher, ddim_step(self.teacher, x, t, middle, cond), middle, s, cond)
            c, cs = process.schedule.at(t, x), process.schedule.at(s, x)
            ratio = cs.sigma / c.sigma
            goal = (x_s - ratio * x) / (cs.a - ratio * c.a)
            y = encode(self.model.target, c, goal, (x - c.a * goal) / c.sigma)
        return (self.model.output(x, t, cond) - y).square().flatten(1).mean(1)
