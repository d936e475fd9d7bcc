"""diffusion-lab sample: draw from a model into a PNG, or its way from noise into a GIF."""

import argparse
from pathlib import Path

import torch

from .. import plots, zoo
from ..generate import trajectory
from ..samplers import SAMPLERS
from ..tasks import TASKS, Task
from .devices import device


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(prog="diffusion-lab sample", description=__doc__)
    p.add_argument("--model", default="digits", help=f"one of {', '.join(TASKS)}")
    p.add_argument("--run", type=Path, help="a checkpoint of `diffusion-lab train`, not shipped weights")
    p.add_argument("--class", dest="label", type=int, help="the class to draw; each in turn unless given")
    p.add_argument("--guidance", type=float, default=1.0, help="w: 0 unconditional, 1 off, above 1 guided")
    p.add_argument("--sampler", default="dpmpp_2m", help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("-n", "--count", type=int, help="how many; 36 images or 2000 points unless given")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="cpu")
    p.add_argument("-o", "--out", type=Path, default=Path("samples.png"), help="a .png, or a .gif of x_t")
    return p


def main(argv: list[str]) -> int:
    """Draw and save."""
    args = parser().parse_args(argv)
    if args.out.suffix not in (".png", ".gif"):
        raise ValueError(f"{args.out}: name a .png for the samples or a .gif for their way from noise.")
    model, task = zoo.from_run(args.run) if args.run else (zoo.denoiser(args.model), zoo.task(args.model))
    n = args.count if args.count is not None else (2000 if task.shape == (2,) else 36)
    if n < 1:
        raise ValueError(f"--count {n}: draw at least one sample.")
    labels = chosen_labels(args.label, args.guidance, n, task)
    on = device(args.device)
    steps = trajectory(
        model.to(on),
        (n, *task.shape),
        None if labels is None else labels.to(on),
        task.null,
        args.guidance,
        args.sampler,
        args.steps,
        torch.Generator(on).manual_seed(args.seed),
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if args.out.suffix == ".gif":
        plots.save_gif(plots.film(steps), args.out)
    else:
        *_, last = steps
        plots.save_png(plots.picture(last.x), args.out)
    print(f"{args.out}: {n} samples of {task.name}, {args.sampler}, {args.steps} steps.")
    return 0


def chosen_labels(label: int | None, guidance: float, n: int, task: Task) -> torch.Tensor | None:
    """One label per sample, or none for a model without classes."""
    if task.n_classes == 0:
        if label is not None or guidance != 1:
            raise ValueError(f"{task.name} has no classes: leave --class and --guidance out.")
        return None
    if label is None:
        return torch.arange(n) % task.n_classes
    if not 0 <= label < task.n_classes:
        raise ValueError(f"--class {label}: the classes of {task.name} are 0 to {task.n_classes - 1}.")
    return torch.full((n,), label)
