"""D3PM with any transition matrices: a token process whose steps are tables   (Austin et al. 2021, arXiv
2107.03006).

`processes.Categorical` is the case that needs no table: stay, or jump to a fixed law. Here the jump may
depend on where the token is, as it must for ordered values such as grey levels.
"""

from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import accumulate, pairwise
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .coefficients import Number
from .denoisers import Denoise
from .losses import variational
from .processes import Categorical, TokenNoise
from .schedules import Flow


@dataclass(frozen=True, eq=False)
class Matrices(Categorical):
    """x_i ~ Cat(row x_{i-1} of Q_i), i = 1 .. n, at the times t = i / n.

    steps: Q_1 .. Q_n (n, v, v), rows sum to 1. prior_probs: the law that they lead to. schedule: only its
    clock, [0, 1], is used. A time must be one of the i / n; a jump over several steps multiplies them.
    """

    steps: Float[Tensor, "n v v"] = field(kw_only=True)

    def index(self, t: Number) -> Int[Tensor, "*b"]:
        """i of t = i / n."""
        n = len(self.steps)
        i = torch.as_tensor(t, dtype=torch.float64).cpu() * n
        if not torch.allclose(i, i.round(), atol=1e-4):
            raise ValueError(f"this process has {n} steps: its times are multiples of 1/{n}, not {t}.")
        return i.round().long()

    @cached_property
    def upto(self) -> Float[Tensor, "n_plus_1 v v"]:
        """Q_1 ... Q_i for i = 0 .. n, in float64."""
        eye = torch.eye(self.steps.shape[1], dtype=torch.float64)
        return torch.stack(list(accumulate(self.steps.double(), torch.matmul, initial=eye)))

    def jump(self, s: int, t: int) -> Float[Tensor, "v v"]:
        """q(x_t | x_s) = Q_{s+1} ... Q_t, in float64."""
        return reduce(torch.matmul, self.steps[s:t].double(), self.upto[0])

    def jumps(self, s: Number, t: Number) -> Float[Tensor, "_ v v"]:
        """q(x_t | x_s), one matrix per example, or one for all."""
        s_i, t_i = (self.index(u).reshape(-1).tolist() for u in (s, t))
        return torch.stack([self.jump(i, j) for i, j in zip(s_i, t_i, strict=True)])

    def diffuse(self, x0: Int[Tensor, "b l"], t: Number, noise: TokenNoise) -> Int[Tensor, "b l"]:
        """x_t ~ row x_0 of Q_1 ... Q_t, by inverting its cumulative sum at u   (D3PM eq. 3)."""
        upto_t = self.upto[self.index(t).reshape(-1)].to(x0.device)
        return invert(_each(upto_t, x0), noise.u)

    def reverse_probs(
        self, x: Int[Tensor, "b l"], p0: Float[Tensor, "b l v"], t: Number, s: Number
    ) -> Float[Tensor, "b l v"]:
        """sum_{x_0} q(x_s | x_t, x_0) p(x_0 | x_t), q(x_s | x_t, x_0) = Q(x_s -> x_t) Q(x_0 -> x_s) /
        Q(x_0 -> x_t)   (D3PM eq. 3 and 4)."""
        p = p0.double()
        upto_s, upto_t = (self.upto[self.index(u).reshape(-1)].to(p) for u in (s, t))
        step = self.jumps(s, t).to(p)
        into_x = _each(step.mT, x)  # Q(k -> x_t) for every k
        q_t = _each(upto_t.mT, x)
        w = torch.where(q_t > 0, p / q_t, 0.0)
        return (into_x * (w @ upto_s)).to(p0)


def _each(matrices: Float[Tensor, "_ v v"], x: Int[Tensor, "b l"]) -> Float[Tensor, "b l v"]:
    """Row x of every example's own matrix."""
    v = matrices.shape[-1]
    return matrices.expand(len(x), v, v).gather(1, x[..., None].expand(*x.shape, v))


def invert(probs: Float[Tensor, "b l v"], u: Float[Tensor, "b l"]) -> Int[Tensor, "b l"]:
    """The first id whose cumulative probability exceeds u."""
    cdf = probs.cumsum(-1)
    return (
        torch.searchsorted(cdf, u[..., None] * cdf[..., -1:], right=True)
        .squeeze(-1)
        .clamp(max=cdf.shape[-1] - 1)
    )


def discretised_gaussian(vocab: int, betas: Float[Tensor, "n"]) -> Matrices:
    """Ordered values that move to neighbours: for i != j,

    Q[i, j] = exp(-4 |i - j|^2 / ((v - 1)^2 beta)) / sum_{n=-(v-1)}^{v-1} exp(-4 n^2 / ((v - 1)^2 beta)),

    and the diagonal takes the rest. Rows and columns sum to 1, so it leads to the uniform law   (D3PM
    appendix A.2.3)."""
    i = torch.arange(vocab, dtype=torch.float64)
    scale = -4 / ((vocab - 1) ** 2 * betas.double()[:, None, None])
    steps = torch.arange(-(vocab - 1), vocab, dtype=torch.float64)
    q = (scale * (i[:, None] - i) ** 2).exp() / (scale * steps**2).exp().sum(-1, keepdim=True)
    q = q - torch.diag_embed(torch.diagonal(q, dim1=1, dim2=2))
    q = q + torch.diag_embed(1 - q.sum(-1))
    return Matrices(Flow(), torch.full((vocab,), 1 / vocab), steps=q)


def from_categorical(process: Categorical, n: int) -> Matrices:
    """The same process as tables: Q_i = r I + (1 - r) 1 prior^T with r = a_i / a_{i-1}. The slow way, for
    comparison."""
    prior = process.prior_probs.double()
    v, like = len(prior), torch.empty(0, dtype=torch.float64)
    a = [float(process.schedule.at(i / n, like).a) for i in range(n + 1)]
    eye, to_prior = torch.eye(v, dtype=torch.float64), prior.expand(v, v)
    steps = [a1 / a0 * eye + (1 - a1 / a0) * to_prior for a0, a1 in pairwise(a)]
    return Matrices(process.schedule, process.prior_probs, steps=torch.stack(steps))


def step_bound(
    denoise: Denoise, x0: Int[Tensor, "b l"], t: Float[Tensor, "b"], noise: TokenNoise, cond: Any = None
) -> Float[Tensor, "b"]:
    """n KL( q(x_s | x_t, x_0) || p(x_s | x_t) ) at the step (s, t] that holds the given time: a loss for
    `Objective`, in the mean D3PM's bound without its prior term   (D3PM eq. 1)."""
    n = len(denoise.process.steps)
    i = (t * n).ceil().clamp(1, n)
    return n * variational(denoise, x0, i / n, (i - 1) / n, noise, cond)
