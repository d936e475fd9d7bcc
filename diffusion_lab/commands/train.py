"""diffusion-lab train: train a model by name into a folder, and go on where it stopped.

With several GPUs: accelerate launch --multi_gpu -m diffusion_lab train digits --device cuda
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import torch

from .. import checkpoints, runs
from ..tasks import TASKS, Task, folder_task, task_named
from ..training import Alone, Fleet, Recipe
from .devices import device


def parser() -> argparse.ArgumentParser:
    """All options; the recipe's are left at the task's own values unless given."""
    p = argparse.ArgumentParser(
        prog="diffusion-lab train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("task", help=f"one of {', '.join(TASKS)}, or a folder of images")
    p.add_argument("--out", type=Path, help="where the checkpoint goes; runs/TASK unless given")
    p.add_argument("--fresh", action="store_true", help="start again even if there is a checkpoint")
    p.add_argument("--size", type=int, default=32, help="pixels of a folder's images")
    p.add_argument("--batch", type=int, help="examples per step and process")
    p.add_argument("--steps", type=int)
    p.add_argument("--lr", type=float)
    p.add_argument("--ema", type=float)
    p.add_argument("--accumulate", type=int, help="batches per step")
    p.add_argument("--seed", type=int)
    p.add_argument("--bf16", action="store_true", help="bfloat16 autocast")
    p.add_argument("--compile", action="store_true", help="torch.compile the network")
    p.add_argument("--device", default="cpu")
    p.add_argument("--save-every", type=int, default=500, help="steps between checkpoints")
    p.add_argument("--tensorboard", action="store_true", help="log into OUT/log")
    return p


def main(argv: list[str]) -> int:
    """Train, with a bar, checkpoints and perhaps logs."""
    args = parser().parse_args(argv)
    task = chosen(args)
    fleet = launched(args.device)
    trainer = task.trainer(fleet)
    out = args.out or Path("runs") / task.name
    path = out / "checkpoint.safetensors"
    if path.is_file() and not args.fresh:
        checkpoints.load(trainer, path)
    net = getattr(trainer.model, "net", trainer.model)
    if args.compile and isinstance(net, torch.nn.Module):
        net.compile()
    notes = {"task": args.task, "size": str(args.size)}
    records = runs.saved(trainer.fit(), trainer, path, args.save_every, notes)
    if fleet.process_index == 0:
        print(f"{task.name} into {path}, step {trainer.step} of {task.recipe.steps}; stop and go on at will.")
        if args.tensorboard:
            records = runs.logged(records, out / "log")
        records = runs.shown(records, task.recipe.steps)
    for _ in records:
        pass
    if fleet.process_index == 0:
        print(f"done. Look: diffusion-lab sample --run {path} -o samples.png")
    return 0


def chosen(args: argparse.Namespace) -> Task:
    """The task with what the command line changes."""
    fields = Recipe.__dataclass_fields__
    changes = {k: v for k, v in vars(args).items() if k in fields and v is not None}
    folder = Path(args.task)
    is_folder = args.task not in TASKS and folder.is_dir()
    task = folder_task(folder, args.size) if is_folder else task_named(args.task)
    task = replace(task, recipe=replace(task.recipe, **changes))
    return replace(task, batch=args.batch) if args.batch else task


def launched(name: str) -> Fleet:
    """An Accelerator where `accelerate launch` started this process, else this process alone."""
    if "WORLD_SIZE" not in os.environ and "ACCELERATE_MIXED_PRECISION" not in os.environ:
        return Alone(device(name))
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ValueError("accelerate is not installed: pip install 'diffusion-lab[train]'.") from error
    fleet: Fleet = Accelerator(cpu=name == "cpu")
    return fleet
