"""What is added to a trained network: LoRA, ControlNet, and a picture beside x_t.

LoRA is a parameterisation of fine-tuning, not a training recipe; ControlNet copies half a UNet and is not
small; neither adds attention. The base network stays frozen in both.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .layers import zero
from .unet import UNet


class Given(NamedTuple):
    """A condition with a picture in it: what the network itself takes (a class, a caption, None), and an
    image."""

    cond: Any
    image: Float[Tensor, "b k h w"]


class Beside(nn.Module):
    """A network that sees more channels: net([x_t, image], t, cond)   (SR3, section 2.2; the inpainting model
    of latent diffusion). The network's `in_channels` counts both, its `out_channels` x_t alone."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Float[Tensor, "b c h w"], t: Float[Tensor, "b"], cond: Any) -> Tensor:
        return self.net(torch.cat([x, pictured(cond, x)], 1), t, cond.cond)


def pictured(cond: Any, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
    """The image of a condition, checked against x."""
    if not isinstance(cond, Given):
        raise ValueError("this network reads a picture: give Given(cond, image), with cond=None for no more.")
    if cond.image.shape[0] != len(x) or cond.image.shape[2:] != x.shape[2:]:
        raise ValueError(
            f"the condition's image is {tuple(cond.image.shape)} and x is {tuple(x.shape)}: "
            "give one image per example, of the same height and width."
        )
    return cond.image


class ControlNet(nn.Module):
    """A frozen UNet with a trainable copy of its encoder and middle that sees a map   (Zhang et al. 2023,
    section 3).

    The copy's first feature map gets the map through a small stem; its outputs are added to the frozen
    network's skips and middle through zero convolutions. So it starts as the frozen network to the bit, and
    yet learns: the gradient of a zero convolution's weight is its input, which is not zero.
    """

    def __init__(self, net: UNet, map_channels: int = 1):
        super().__init__()
        self.net = net.requires_grad_(False)
        self.copy = deepcopy(net).requires_grad_(True)
        del self.copy.decoder, self.copy.resize, self.copy.norm, self.copy.out, self.copy.embedding
        self.copy.add_module("stem", Hinted(self.copy.stem, net.in_channels, map_channels))
        with torch.no_grad():
            weight = next(net.parameters())
            side = net.factor * 2
            skips = net.encode(
                weight.new_zeros(1, net.in_channels, side, side), net.embedding(weight.new_ones(1))
            )
        widths = [skip.shape[1] for skip in skips]
        self.joints = nn.ModuleList(zero(nn.Conv2d(n, n, 1)) for n in [*widths, widths[-1]])

    def forward(self, x: Float[Tensor, "b c h w"], t: Float[Tensor, "b"], cond: Any) -> Tensor:
        c = self.net.embedding(t, cond.cond if isinstance(cond, Given) else cond)
        copied = self.copy.encode(torch.cat([x, pictured(cond, x)], 1), c)
        copied.append(through(self.copy.middle, copied[-1], c))
        skips = self.net.encode(x, c)
        *added, last = [joint(h) for joint, h in zip(self.joints, copied, strict=True)]
        h = through(self.net.middle, skips[-1], c) + last
        return self.net.decode(h, [s + r for s, r in zip(skips, added, strict=True)], c)

    def added(self) -> nn.Module:
        """What the base network lacks: all that trains, and all that needs a file."""
        return nn.ModuleDict({"copy": self.copy, "joints": self.joints})


class Hinted(nn.Module):
    """stem(x) + hint(map), for [x, map] side by side. The last convolution of the hint is zero."""

    def __init__(self, stem: nn.Module, n_x: int, n_map: int):
        super().__init__()
        self.n_x, self.stem = n_x, stem
        n = next(stem.parameters()).shape[0]
        self.hint = nn.Sequential(
            nn.Conv2d(n_map, n, 3, padding=1), nn.SiLU(), zero(nn.Conv2d(n, n, 3, padding=1))
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        return self.stem(x[:, : self.n_x]) + self.hint(x[:, self.n_x :])


def through(blocks: nn.ModuleList, h: Tensor, c: Any) -> Tensor:
    """One block after another."""
    for block in blocks:
        h = block(h, c)
    return h


class LowRank(nn.Module):
    """W -> W + (alpha / r) B A, where A starts random and B at zero   (LoRA: Hu et al. 2022, section 4.1)."""

    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__()
        n_out, n_in = weight.flatten(1).shape
        if not 1 <= rank <= min(n_out, n_in):
            raise ValueError(f"rank {rank} for a matrix of {n_out} x {n_in}: give 1 to {min(n_out, n_in)}.")
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.randn(rank, n_in).to(weight) / n_in**0.5)
        self.b = nn.Parameter(torch.zeros(n_out, rank).to(weight))

    def delta(self) -> Float[Tensor, "o i"]:
        """What is added."""
        return self.scale * (self.b @ self.a)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.delta().view(weight.shape)


Loras = dict[str, LowRank]
"""Name of a layer -> what its weight gets."""


def is_attention(name: str, layer: nn.Module) -> bool:
    """The usual place of LoRA: projections of self- and cross-attention."""
    return isinstance(layer, nn.Linear) and any(part in name for part in ("attend.", "read."))


def add_lora(
    model: nn.Module,
    rank: int = 4,
    alpha: float = 4.0,
    where: Callable[[str, nn.Module], bool] = is_attention,
) -> Loras:
    """Freeze a model and give every layer that `where` picks a low-rank addition, the only part that
    trains."""
    model.requires_grad_(False)
    layers = {name: layer for name, layer in model.named_modules() if where(name, layer)}
    if not layers:
        raise ValueError("no layer was picked for LoRA: `where` gets a name and a layer and says yes or no.")
    loras = {name: LowRank(layer.weight, rank, alpha) for name, layer in layers.items()}
    attach(model, loras)
    return loras


def merge(model: nn.Module) -> Loras:
    """Fold every LoRA into its weight: the network is as fast as before. Returns them, for `unmerge`."""
    loras: Loras = {}
    for name, layer in list(model.named_modules()):
        if parametrize.is_parametrized(layer, "weight"):
            loras[name] = layer.parametrizations.weight[0]
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return loras


def unmerge(model: nn.Module, loras: Loras) -> None:
    """Take merged LoRAs out of the weights, up to rounding, and put them back beside them."""
    for name, lora in loras.items():
        weight = model.get_submodule(name).get_parameter("weight")
        with torch.no_grad():
            weight.sub_(lora.delta().view(weight.shape))
    attach(model, loras)


def attach(model: nn.Module, loras: Loras) -> None:
    """Put LoRAs beside the weights of a model: another style, or one trained elsewhere."""
    for name, lora in loras.items():
        parametrize.register_parametrization(model.get_submodule(name), "weight", lora)
