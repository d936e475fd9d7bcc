"""How often a picture is what its caption says, on combinations seen in training and on those held out.

A judge is a classifier trained on real renders of every combination. Of fresh drawings it names all four
attributes without a mistake; of digits it never saw, as many as its card says.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from . import zoo
from .data import drawn
from .data.registry import WORLDS
from .data.world import PAD, World
from .denoisers import Denoise, Denoiser
from .generate import conditioned
from .grids import uniform
from .guidance import cfg
from .models.adapters import Given
from .models.judge import Judge
from .samplers import dpmpp_2m, final
from .seeds import rng_at

ROUNDS = 4
"""Pictures of every combination: 124 seen and 26 held-out drawings make 496 and 104."""


def judge(world: World = drawn.WORLD) -> Judge:
    """The shipped judge of a world."""
    model: Judge = zoo.denoiser(f"{world.name}-judge")
    return model


@torch.no_grad()
def drawn_pictures(
    model: Denoiser,
    words: Int[Tensor, "b l"],
    w: float = 1.0,
    rng: torch.Generator | None = None,
    steps: int = 20,
) -> Float[Tensor, "b 1 h w"]:
    """One picture per caption, at guidance w away from the empty caption."""
    weight = next(model.parameters())
    noise = model.process.noise(weight.new_empty(len(words), 1, 16, 16), rng)
    guided: Denoise = conditioned(model, words, PAD, w)
    return final(dpmpp_2m(guided, model.process.prior(noise, model.t_max), uniform(steps, model.t_max)))


def right(x: Float[Tensor, "n 1 h w"], scenes: Int[Tensor, "n m"], by: Judge) -> Float[Tensor, "n m"]:
    """1 where the judge names the attribute that was asked for."""
    return (by(x.clamp(-1, 1)) == scenes).to(x)


class Verdict(NamedTuple):
    """Of pictures of every combination: attributes named as asked, and combinations that were held out."""

    good: Float[Tensor, "n m"]
    unseen: Bool[Tensor, "n"]

    def shares(self) -> dict[str, float]:
        """Of pictures with every attribute right: of combinations seen in training, and held out."""
        every = self.good.prod(1)
        return {"seen": share(every[~self.unseen]), "held_out": share(every[self.unseen])}


def share(right: Float[Tensor, "n"]) -> float:
    """A mean, to four places."""
    return round(float(right.mean()), 4)


def composition(
    model: Denoiser, w: float = 1.0, seed: int = 0, world: World = drawn.WORLD, **how: Any
) -> Verdict:
    """The judge on a model's pictures, four of every combination."""
    scenes = world.all_scenes().repeat(ROUNDS, 1)
    x = drawn_pictures(model, world.captions(scenes), w, rng_at("samples", seed, 0), **how)
    return Verdict(right(x, scenes, judge(world)), world.held_out(scenes))


def real(seed: int = 0, world: World = drawn.WORLD) -> Verdict:
    """The judge on real pictures that nothing was trained on, twenty of every combination."""
    scenes = world.all_scenes().repeat(20, 1)
    x = world.unseen(scenes, rng_at("judged", seed, 0))
    return Verdict(right(x, scenes, judge(world)), world.held_out(scenes))


def judge_accuracy(seed: int = 0, world: World = drawn.WORLD) -> dict[str, float]:
    """Of real pictures that nothing was trained on: each attribute, and all four."""
    good = real(seed, world).good
    named = {name: share(good[:, i]) for i, name in enumerate(world.attributes)}
    return {**named, "all_four_right": share(good.prod(1))}


def of_painter(name: str) -> dict[str, float]:
    """For the card of a captioned model, at two scales of guidance."""
    model, world = zoo.denoiser(name), WORLDS[name]
    by_scale = {w: composition(model, w, world=world).shares() for w in (1.0, 2.0)}
    return {f"{split}_w{w:g}": share for w, shares in by_scale.items() for split, share in shares.items()}


@torch.no_grad()
def of_control(n: int = 200) -> dict[str, float]:
    """For the card of the ControlNet: captions that name the shade alone, and outlines that say the rest."""
    rng = rng_at("control", 0, 0)
    scenes = drawn.random_scenes(n, rng)
    d = drawn.drawing(scenes, rng)
    said = torch.tensor([name == "shade" for name in drawn.ATTRIBUTES]).expand(n, -1)
    words, image, real = drawn.captions(scenes, said), drawn.outlines(d), drawn.painted(d)
    guided = cfg(
        zoo.denoiser("drawn-control"), Given(words, image), Given(torch.zeros_like(words), image), 1.5
    )
    x = final(dpmpp_2m(guided, torch.randn(n, 1, 16, 16, generator=rng), uniform(20))).clamp(-1, 1)
    named = dict(zip(drawn.ATTRIBUTES, right(x, scenes, judge()).mean(0).tolist(), strict=True))
    named["rms_error"] = float((x - real).square().mean().sqrt())
    return {name: round(value, 4) for name, value in named.items()}
