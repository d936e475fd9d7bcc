"""Parts that the networks share: the embedding of (t, class), modulation, attention, checks of the input.

PyTorch draws initial weights from its global generator when a module is constructed, and a network here
draws nothing else: there is no dropout. Call `torch.manual_seed` before construction, inside
`torch.random.fork_rng` to leave the generator as it was.
"""

import math
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)

TIME_SCALE = 1000.0
"""Networks see t in [0, 1] times this: the range of DDPM's steps, for which the sinusoids were chosen."""


def time_features(t: Float[Tensor, "b"], n: int) -> Float[Tensor, "b n"]:
    """cos(1000 t w_i), sin(1000 t w_i), w_i = 10000^(-2i/n), i < n/2   (Vaswani et al. 2017, section 3.5)."""
    t = t.to(torch.promote_types(t.dtype, torch.float32))  # 1000 t has more digits than half precision
    w = torch.exp(-math.log(1e4) / (n // 2) * torch.arange(n // 2, device=t.device, dtype=t.dtype))
    angle = TIME_SCALE * t[:, None] * w
    return torch.cat([angle.cos(), angle.sin()], 1)


class Embedding(nn.Module):
    """(t, class) -> the vector that every block reads: SiLU(MLP(time_features(t)) + row of the class).

    Row `n_classes` of the table, the last, is "no condition"; `cond=None` asks for it. A network without
    classes ignores the condition.
    """

    def __init__(self, features: int, dim: int, n_classes: int = 0):
        super().__init__()
        if features % 2:
            raise ValueError(
                f"{features} time features: they are pairs of cosine and sine; give an even number."
            )
        self.features, self.n_classes = features, n_classes
        self.lift, self.mix = nn.Linear(features, dim), nn.Linear(dim, dim)
        self.label = nn.Embedding(n_classes + 1, dim) if n_classes else None

    def forward(self, t: Float[Tensor, "b"], cond: Any = None) -> Float[Tensor, "b k"]:
        features = time_features(t, self.features).to(self.lift.weight.dtype)
        c = self.mix(F.silu(self.lift(features)))
        if self.label is not None:
            c = c + self.label(labels(cond, self.n_classes, t))
        return F.silu(c)


def labels(cond: Any, n_classes: int, t: Float[Tensor, "b"]) -> Int[Tensor, "b"]:
    """One class per example; None is the null class for all."""
    if cond is None:
        return torch.full(t.shape, n_classes, device=t.device)
    if not isinstance(cond, Tensor) or cond.shape != t.shape or cond.is_floating_point():
        what = f"{cond.dtype} of shape {tuple(cond.shape)}" if isinstance(cond, Tensor) else repr(cond)
        raise ValueError(f"class labels are {what}: give a tensor of integers of shape {tuple(t.shape)}.")
    # On a GPU this look would stop the queue at every call; there the embedding's own assertion guards.
    if cond.device.type == "cpu" and not torch.compiler.is_compiling() and _outside(cond, n_classes):
        raise ValueError(
            f"class labels run from {cond.min()} to {cond.max()}: this network knows 0 to {n_classes - 1}, "
            f"and {n_classes} for no condition."
        )
    return cond.long()


def _outside(cond: Tensor, n_classes: int) -> bool:
    return bool(((cond < 0) | (cond > n_classes)).any())


def modulate(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """h (1 + scale) + shift, where scale and shift broadcast against h   (FiLM: Perez et al. 2018, eq. 2)."""
    return torch.addcmul(shift, h, 1 + scale)


class SelfAttention(nn.Module):
    """softmax(q k^T / sqrt(d)) v over n tokens, in several heads   (Vaswani et al. 2017, eq. 1)."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        if dim % heads:
            raise ValueError(
                f"{dim} channels cannot be split into {heads} attention heads: choose a divisor."
            )
        self.heads = heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "b n k"]) -> Float[Tensor, "b n k"]:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def zero(module: M) -> M:
    """The module with every parameter 0: what it adds starts as nothing."""
    for p in module.parameters():
        nn.init.zeros_(p)
    return module


def check_input(x: Tensor, t: Tensor, shape: tuple[int | None, ...], weight: Tensor) -> None:
    """x is (b, *shape) (None: any size), t is (b,), and x has the precision and device of the weights."""
    fits = x.ndim == len(shape) + 1 and all(n in (None, m) for n, m in zip(shape, x.shape[1:], strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"x has shape {tuple(x.shape)}: this network takes (batch, {wanted}).")
    if t.shape != x.shape[:1]:
        raise ValueError(f"t has shape {tuple(t.shape)}: give one time per example, ({len(x)},).")
    if (x.dtype, x.device) != (weight.dtype, weight.device):
        raise ValueError(
            f"x is {x.dtype} on {x.device}, the network {weight.dtype} on {weight.device}: "
            "move one of them with .to(...)."
        )
