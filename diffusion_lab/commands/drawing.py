"""How each kind of model draws for `diffusion-lab sample`."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import grids, plots
from ..data import TOYS, driving
from ..data.registry import WORLDS
from ..data.world import PAD
from ..generate import trajectory
from ..latent import decoded
from ..models.text import Causal
from ..planning import forecasts, unseen_scenes
from ..samplers import euler
from ..seeds import rng_at
from ..steps import Step
from ..tasks import Task, few_steps, latent, text
from ..text import LANGUAGES, written
from ..text.scores import sampled
from .devices import device

Options = argparse.Namespace
Draw = Callable[[Options, Any, Task], str]
"""(options, model, task) -> a sentence about the file that was written."""


def images(args: Options, model: Any, task: Task) -> str:
    """Points or images, with classes where the model has them."""
    n = args.count or (2000 if task.shape == (2,) else 36)
    return saved(args, task, n, walked(args, model, task, n, chosen_labels(args, n, task), task.null))


def jumps(args: Options, model: Any, task: Task) -> str:
    """Points by a flow map, which is its own sampler: `--steps` jumps."""
    n, on, ts = args.count or 2000, device(args.device), grids.uniform(args.steps)
    chosen_labels(args, n, task)
    noise = torch.randn(n, *task.shape, generator=torch.Generator(on).manual_seed(args.seed), device=on)
    return saved(args, task, n, euler(model.to(on).on(ts), noise, ts), "the flow map")


def latents(args: Options, model: Any, task: Task) -> str:
    """Latents, decoded at every step."""
    n = args.count or 36
    codec = latent.codec().to(device(args.device))
    steps = walked(args, model, task, n, chosen_labels(args, n, task), task.null)
    return saved(args, task, n, decoded(steps, codec))


def captioned(args: Options, model: Any, task: Task) -> str:
    """Pictures of one caption, or of a different one each."""
    n, world = args.count or 36, WORLDS[task.name]
    if args.caption is None:
        words = world.captions(world.random_scenes(n, rng_at("captions", args.seed, 0)))
    else:
        words = world.tokens([args.caption]).expand(n, -1)
    return saved(args, task, n, walked(args, model, task, n, words, PAD))


def futures(args: Options, model: Any, task: Task) -> str:
    """Futures of one scene, with the other car's dashed."""
    refuse(args, task, "label", "caption")
    n, out = args.count or 16, named(args, ".png")
    scene, _ = unseen_scenes(1, args.seed)
    paths = forecasts(model, scene, n, args.steps, args.seed)[0]
    plots.save_png(plots.drawn_paths(paths, driving.other_car(scene)), out)
    return f"{out}: {n} futures of one scene, {args.steps} steps."


def sentences(args: Options, model: Any, task: Task) -> str:
    """Text, one sample a line."""
    refuse(args, task, "label", "caption")
    n, out = args.count or 16, named(args, ".txt")
    language = LANGUAGES[task.name.removesuffix("-twin")]()
    if isinstance(model, Causal):
        rows = written(model, torch.empty(n, 0, dtype=torch.long), rng_at("texts", args.seed, 0))
    else:
        rows = sampled(model, language, args.steps, n, args.seed)
    out.write_text("\n".join(language.alphabet.texts(rows)) + "\n", encoding="utf-8")
    share = language.valid(language.alphabet.texts(rows))
    return f"{out}: {n} samples of {task.name}, of which {share:.0%} are sentences of its language."


def walked(args: Options, model: Any, task: Task, n: int, cond: Tensor | None, null: int) -> Iterable[Step]:
    """The way from noise by the sampler that was asked for."""
    on = device(args.device)
    if cond is None:
        refuse(args, task, "label", "caption")
    return trajectory(
        model.to(on),
        (n, *task.shape),
        None if cond is None else cond.to(on),
        null,
        args.guidance,
        args.sampler,
        args.steps,
        torch.Generator(on).manual_seed(args.seed),
    )


def saved(args: Options, task: Task, n: int, steps: Iterable[Step], by: str | None = None) -> str:
    """The last step as a PNG, or all of them as a GIF. by: what walked, unless it was --sampler."""
    out = named(args, ".png", ".gif")
    if out.suffix == ".gif":
        plots.save_gif(plots.film(steps), out)
    else:
        *_, last = steps
        plots.save_png(plots.picture(last.x), out)
    return f"{out}: {n} samples of {task.name}, {by or args.sampler}, {args.steps} steps."


def named(args: Options, *suffixes: str) -> Path:
    """The file to write, in a folder that exists."""
    out: Path = args.out or Path(f"samples{suffixes[0]}")
    if out.suffix not in suffixes:
        raise ValueError(f"{out}: this model's samples go into a {' or a '.join(suffixes)}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def chosen_labels(args: Options, n: int, task: Task) -> Tensor | None:
    """One label per sample, or none for a model without classes."""
    refuse(args, task, "caption")
    if task.n_classes == 0:
        if args.label is not None or args.guidance != 1:
            raise ValueError(f"{task.name} has no classes: leave --class and --guidance out.")
        return None
    if args.label is None:
        return torch.arange(n) % task.n_classes
    if not 0 <= args.label < task.n_classes:
        raise ValueError(f"--class {args.label}: the classes of {task.name} are 0 to {task.n_classes - 1}.")
    return torch.full((n,), args.label)


def refuse(args: Options, task: Task, *options: str) -> None:
    """A condition that this model does not take."""
    for option in options:
        if getattr(args, option) is not None:
            flag = "--class" if option == "label" else f"--{option}"
            raise ValueError(f"{task.name} takes no {flag}: leave it out.")


DRAW: dict[str, Draw] = {
    **dict.fromkeys([*TOYS, "digits", "digits-eps", "digits-page"], images),
    **dict.fromkeys(few_steps.TASKS, jumps),
    "digits32-latent": latents,
    **dict.fromkeys(WORLDS, captioned),
    **dict.fromkeys(text.TASKS, sentences),
    "driving": futures,
}
"""Every shipped model that draws, and how."""
