"""SEDD: learn how much likelier every other token is than the one that stands there   (Lou et al. 2024, arXiv
2310.16834).

A ratio s_y = q_t(y) / q_t(x) and a posterior p(x_0 | x_t) say the same thing: each is a linear map of the
other. So a network of ratios is read as a denoiser, and `ancestral` samples it like any other.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..coefficients import Number
from ..denoisers import Net, times
from ..processes import Categorical, TokenNoise

TINY = 1e-30
LAST = 0.999
"""The time at which ratios are asked for pure noise."""


def log_ratios(
    process: Categorical, log_p0: Float[Tensor, "b l v"], x: Int[Tensor, "b l"], t: Number
) -> Float[Tensor, "b l v"]:
    """log q_t(y) / q_t(x_t) = log sum_k q(y | k) / q(x_t | k) p(x_0 = k | x_t), one place at a time.

    At a token that shows in a masked process this is no ratio: q(x_t | k) is 0 for every other k. Nobody asks
    there, neither the loss nor the way back.
    """
    a, pi, q_x = kernel(process, x, t, log_p0)
    w = torch.where(q_x > 0, log_p0.exp() / q_x, 0.0)
    return (a * w + (1 - a) * pi * w.sum(-1, keepdim=True)).clamp(min=TINY).log()


def log_posterior(
    process: Categorical, log_s: Float[Tensor, "b l v"], x: Int[Tensor, "b l"], t: Number
) -> Float[Tensor, "b l v"]:
    """The inverse of `log_ratios`; what a network's ratios would make negative is 0. It needs a_t > 0."""
    a, pi, q_x = kernel(process, x, t, log_s)
    if not (torch.as_tensor(a) > torch.finfo(log_s.dtype).eps).all():
        raise ValueError(
            "at a_t = 0 nothing is left of x_0 and ratios say nothing about it: ask before that."
        )
    s = log_s.exp()
    w = (s - (1 - a) * pi * s.sum(-1, keepdim=True)) / a
    p0 = (w * q_x).clamp(min=0)
    return (p0 / p0.sum(-1, keepdim=True).clamp(min=TINY)).log()


def kernel(
    process: Categorical, x: Int[Tensor, "b l"], t: Number, like: Float[Tensor, "b l v"]
) -> tuple[Number, Float[Tensor, "v"], Float[Tensor, "b l v"]]:
    """a_t, the prior, and q(x_t | x_0 = k) for every k."""
    a, pi = process.schedule.at(t, like).a, process.prior_probs.to(like)
    return a, pi, a * F.one_hot(x, like.shape[-1]) + (1 - a) * pi[x][..., None]


def score_entropy(
    process: Categorical,
    log_s: Float[Tensor, "b l v"],
    x: Int[Tensor, "b l"],
    x0: Int[Tensor, "b l"],
    t: Float[Tensor, "b"],
) -> Float[Tensor, "b"]:
    """Denoising score entropy for any prior, nats per sequence   (SEDD section 3):

    -a'_t / a_t pi(x_t) sum_{y != x_t} [ s_y - r_y log s_y + r_y (log r_y - 1) ],

    where r_y = q(y | x_0) / q(x_t | x_0) and s_y is the model's word for q_t(y) / q_t(x_t). In the mean over
    t, x_t and x_0 it is a bound on -log p(x_0), whose prior term is 0 where a_1 = 0.
    """
    a, pi, _ = kernel(process, x, t, log_s)
    own = F.one_hot(x0, log_s.shape[-1]).to(log_s)
    q = a * own + (1 - a) * pi
    r = q / q.gather(-1, x[..., None])
    term = log_s.exp() - r * log_s + torch.where(r > 0, r * (r.clamp(min=TINY).log() - 1), 0.0)
    other = term.scatter(-1, x[..., None], 0.0).sum(-1)
    c = process.schedule.at(t, x)
    return (-c.d_a / c.a * pi[x] * other).sum(1)


class RatioDenoiser(nn.Module):
    """A network of log ratios, read as log p(x_0 | x_t). With outputs y, and x the token that stands,

    log s_k = e_k + (c_k - e_k) (y_k - y_x),

    where e_k is what log s_k would be if all texts were equally likely, and c_k if k were certain. So equal
    outputs are the law of equal texts, and k one above x says that k is the truth, at every t. The unit c - e
    is log v for a mask. For a uniform prior it is log(1 + v a_t / (1 - a_t)): on the line from 0 at t = 1 to
    log(v / t) near 0. The loss weighs a ratio by its size; without this unit a short training gets the size
    and hardly more (`benchmarks.text_methods`). SEDD's own code shifts the outputs by a function of t, for
    masks alone.
    """

    def __init__(self, net: Net, process: Categorical):
        super().__init__()
        self.net, self.process = net, process

    def log_ratios(self, x: Int[Tensor, "b l"], t: Number, cond: Any = None) -> Float[Tensor, "b l v"]:
        """log s, with log s_x = 0 for the token that stands there."""
        y = self.net(x, times(t, x), cond)
        equal, certain = landmarks(self.process, x, t, y)
        return equal + (certain - equal) * (y - y.gather(-1, x[..., None]))

    def forward(self, x: Int[Tensor, "b l"], t: Number, cond: Any = None) -> Float[Tensor, "b l v"]:
        """At most at t = 0.999: at t = 1 the ratios are those of the prior and say nothing about x_0."""
        t = t.clamp(max=LAST) if isinstance(t, Tensor) else min(t, LAST)
        return log_posterior(self.process, self.log_ratios(x, t, cond), x, t)


def landmarks(
    process: Categorical, x: Int[Tensor, "b l"], t: Number, like: Float[Tensor, "b l v"]
) -> tuple[Float[Tensor, "b l v"], Float[Tensor, "b l v"]]:
    """log q_t(k) / q_t(x) where x_0 is any token, all equally likely, and where x_0 = k, for all k but x. At
    a token that shows in a masked process, where nobody asks, both are the former."""
    a, pi, _ = kernel(process, x, t, like)
    tokens = (pi < 1) / (pi < 1).sum()  # every token but the mask
    equal = (a * tokens + (1 - a) * pi).clamp(min=TINY).log().expand_as(like)
    equal = equal - equal.gather(-1, x[..., None])
    noise = ((1 - a) * pi).expand_as(like).gather(-1, x[..., None])
    certain = ((a + (1 - a) * pi) / noise.clamp(min=TINY)).clamp(min=TINY).log()
    return equal, torch.where(noise > 0, certain, equal)


def sedd(
    model: RatioDenoiser, x0: Int[Tensor, "b l"], t: Float[Tensor, "b"], noise: TokenNoise, cond: Any = None
) -> Float[Tensor, "b"]:
    """`score_entropy` of a network of ratios: a loss for `Objective`."""
    x = model.process.diffuse(x0, t, noise)
    return score_entropy(model.process, model.log_ratios(x, t, cond), x, x0, t)
