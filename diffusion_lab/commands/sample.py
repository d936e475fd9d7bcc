"""diffusion-lab sample: draw from a model into a PNG, its way from noise into a GIF, or text into a file."""

import argparse
from pathlib import Path

from .. import zoo
from ..errors import lookup
from ..samplers import SAMPLERS
from .drawing import DRAW


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(prog="diffusion-lab sample", description=__doc__)
    p.add_argument("--model", default="digits", help=f"one of {', '.join(DRAW)}")
    p.add_argument("--run", type=Path, help="a checkpoint of `diffusion-lab train`, not shipped weights")
    p.add_argument("--class", dest="label", type=int, help="the class to draw; each in turn unless given")
    p.add_argument("--caption", help="what to draw: 'a small grey cross', 'a thin slanted white seven'")
    p.add_argument("--guidance", type=float, default=1.0, help="w: 0 unconditional, 1 off, above 1 guided")
    p.add_argument("--sampler", default="dpmpp_2m", help=f"one of {', '.join(SAMPLERS)}")
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("-n", "--count", type=int, help="how many; 36 images, 2000 points, 16 others")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="cpu")
    p.add_argument("-o", "--out", type=Path, help="a .png, a .gif of x_t, or a .txt of sentences")
    return p


def main(argv: list[str]) -> int:
    """Draw and save."""
    args = parser().parse_args(argv)
    if args.count is not None and args.count < 1:
        raise ValueError(f"--count {args.count}: draw at least one sample.")
    if args.run:
        model, task = zoo.from_run(args.run)
        draw = DRAW.get(task.name, DRAW["digits"])
    else:
        draw = lookup(args.model, DRAW, "model")
        model, task = zoo.denoiser(args.model), zoo.task(args.model)
    print(draw(args, model, task))
    return 0
