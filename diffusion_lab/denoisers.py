"""A denoiser answers one question: given x_t and t, what were x_0 and eps?

Samplers see nothing else. How a network spells its answer stays in here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .coefficients import Number
from .processes import Categorical, Gaussian, Process
from .targets import Prediction, Target, target_named


@runtime_checkable
class Denoise(Protocol):
    """All that a sampler sees: `Prediction` for a Gaussian process, log p(x_0 | x_t) for tokens."""

    @property
    def process(self) -> Any: ...

    def __call__(self, x: Tensor, t: Number, cond: Any = None) -> Any: ...


Net = Callable[[Tensor, Tensor, Any], Tensor]
"""(x, t of shape (b,), cond) -> y."""


class Denoiser(nn.Module):
    """A network whose output is `target` at (x_t, t)."""

    def __init__(self, net: Net, process: Gaussian, target: str | Target = "eps"):
        super().__init__()
        self.net, self.process, self.target = net, process, target_named(target)

    @property
    def t_max(self) -> float:
        """The latest time at which x_0 can be read from this target: where sampling starts."""
        c = self.process.schedule.at(1.0, torch.empty(0))
        k_x, k_eps = self.target(c)
        return 1.0 if abs(float(c.a * k_eps - c.sigma * k_x)) > 1e-3 else self.process.schedule.t_max

    def forward(self, x: Float[Tensor, "b *d"], t: Number, cond: Any = None) -> Prediction:
        y = self.output(x, t, cond)
        return Prediction(self.process.schedule.at(t, x), x, y, self.target)

    def output(self, x: Float[Tensor, "b *d"], t: Number, cond: Any = None) -> Float[Tensor, "b *d"]:
        """The network's own words, checked: what a loss compares with its target."""
        y = self.net(x, times(t, x), cond)
        if y.shape != x.shape:
            raise ValueError(
                f"the network turned {tuple(x.shape)} into {tuple(y.shape)}: this target has the shape of x."
            )
        return y


class LearnedVariance(Denoiser):
    """A network with twice the channels: y, and where the variance lies between small and large   (iDDPM
    eq. 15)."""

    def forward(self, x: Float[Tensor, "b c *d"], t: Number, cond: Any = None) -> Prediction:
        y, v = self.net(x, times(t, x), cond).chunk(2, dim=1)
        return Prediction(self.process.schedule.at(t, x), x, y, self.target, large=(v + 1) / 2)


class UnitInput(nn.Module):
    """A network that sees x_t at unit variance, whatever the path: EDM's c_in   (EDM eq. 7)."""

    def __init__(self, net: Net, process: Gaussian, sigma_data: float = 0.5):
        super().__init__()
        self.net, self.process, self.sigma_data = net, process, sigma_data

    def forward(
        self, x: Float[Tensor, "b *d"], t: Float[Tensor, "b"], cond: Any = None
    ) -> Float[Tensor, "b *d"]:
        c = self.process.schedule.at(t, x)
        return self.net(x / (c.sigma**2 + (c.a * self.sigma_data) ** 2) ** 0.5, t, cond)


class TokenDenoiser(nn.Module):
    """Network logits (b, l, v) -> log p(x_0 | x_t)."""

    def __init__(self, net: Net, process: Categorical):
        super().__init__()
        self.net, self.process = net, process

    def forward(self, x: Int[Tensor, "b l"], t: Number, cond: Any = None) -> Float[Tensor, "b l v"]:
        logits = self.net(x, times(t, x), cond)
        return logits.log_softmax(-1) if self.process.mask is None else substitute(logits, x)


def substitute(logits: Float[Tensor, "b l v"], x: Int[Tensor, "b l"]) -> Float[Tensor, "b l v"]:
    """MDLM's SUBS: x_0 is never the mask (the last id), and a token that shows is already known
    (MDLM section 3.2.3)."""
    mask = logits.shape[-1] - 1
    never = torch.full_like(logits, -torch.inf)
    log_p = torch.where(torch.arange(mask + 1, device=x.device) == mask, never, logits).log_softmax(-1)
    known = never.scatter(-1, x[..., None], 0.0)
    return torch.where((x == mask)[..., None], log_p, known)


@dataclass(frozen=True)
class Rule:
    """A function as a denoiser: oracles and guidance are made of these."""

    process: Process
    fn: Callable[[Tensor, Number, Any], Any]

    def __call__(self, x: Tensor, t: Number, cond: Any = None) -> Any:
        return self.fn(x, t, cond)


def given(denoise: Denoise, cond: Any) -> Rule:
    """The denoiser with its condition filled in: samplers ask for x and t only."""
    return Rule(denoise.process, lambda x, t, _: denoise(x, t, cond))


def times(t: Number, like: Tensor) -> Float[Tensor, "b"]:
    """t as a network wants it: one time per example, on the device of `like`."""
    dtype = like.dtype if like.is_floating_point() else torch.get_default_dtype()
    if isinstance(t, Tensor):
        return t.to(like.device, dtype).expand(len(like))
    return torch.full((len(like),), t, device=like.device, dtype=dtype)
