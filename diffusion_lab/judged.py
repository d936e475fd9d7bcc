"""How often a picture is what its caption says, on combinations seen in training and on those held out.

The judge is a classifier trained on real renders; it names all four attributes of fresh ones without a
mistake.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from . import zoo
from .data import drawn
from .denoisers import Denoise, Denoiser
from .generate import conditioned
from .grids import uniform
from .guidance import cfg
from .models.adapters import Given
from .models.judge import Judge
from .samplers import dpmpp_2m, final
from .seeds import rng_at
from .tasks.captions import JUDGE

ROUNDS = 4
"""Pictures of every combination: 124 seen and 26 held-out ones make 496 and 104."""


def judge() -> Judge:
    """The shipped judge."""
    model: Judge = zoo.denoiser(JUDGE.name)
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
    guided: Denoise = conditioned(model, words, drawn.PAD, w)
    return final(dpmpp_2m(guided, model.process.prior(noise, model.t_max), uniform(steps, model.t_max)))


def right(x: Float[Tensor, "n 1 h w"], scenes: Int[Tensor, "n 4"], by: Judge) -> Float[Tensor, "n 4"]:
    """1 where the judge names the attribute that was asked for."""
    return (by(x.clamp(-1, 1)) == scenes).to(x)


def composition(model: Denoiser, w: float = 1.0, seed: int = 0, **how: Any) -> dict[str, float]:
    """Share of pictures with all four attributes right: of combinations seen in training, and held out."""
    scenes = drawn.all_scenes().repeat(ROUNDS, 1)
    x = drawn_pictures(model, drawn.captions(scenes), w, rng_at("samples", seed, 0), **how)
    good, unseen = right(x, scenes, judge()).prod(1), drawn.held_out(scenes)
    return {"seen": round(float(good[~unseen].mean()), 4), "held_out": round(float(good[unseen].mean()), 4)}


def judge_accuracy(seed: int = 0) -> dict[str, float]:
    """All four attributes right, of fresh renders."""
    scenes = drawn.all_scenes().repeat(20, 1)
    x = drawn.render(scenes, rng_at("judged", seed, 0))
    return {"all_four_right": round(float(right(x, scenes, judge()).prod(1).mean()), 4)}


def of_painter(name: str) -> dict[str, float]:
    """For the card of a captioned model, at two scales of guidance."""
    model = zoo.denoiser(name)
    by_scale = {w: composition(model, w) for w in (1.0, 2.0)}
    return {f"{split}_w{w:g}": share for w, scores in by_scale.items() for split, share in scores.items()}


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
