"""diffusion-lab bench: how fast this machine trains and samples the digit model."""

import argparse
import time
from collections.abc import Callable

import torch

from ..generate import trajectory
from ..tasks import TASKS
from ..training import Alone
from .devices import device


def main(argv: list[str]) -> int:
    """Print steps and samples per second."""
    p = argparse.ArgumentParser(prog="diffusion-lab bench", description=__doc__)
    p.add_argument("--device", help="cuda if there is one, else cpu")
    p.add_argument("--rounds", type=int, default=10)
    args = p.parse_args(argv)
    if args.rounds < 1:
        raise ValueError(f"--rounds {args.rounds}: measure at least one.")
    on = device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    gpu = on.type == "cuda"
    name = torch.cuda.get_device_name() if gpu else f"{torch.get_num_threads()} CPU threads, no GPU in use"
    print(f"digits, {name}, torch {torch.__version__}")
    task = TASKS["digits"]
    trainer = task.trainer(Alone(on))
    steps = trainer.fit()
    seconds = median_seconds(lambda: next(steps), args.rounds, on)
    print(
        f"training: {task.batch / seconds:,.0f} images/s (batch {task.batch}, {1e3 * seconds:.1f} ms a step)"
    )
    model, n, labels = trainer.averaged, 64, torch.arange(64, device=on) % task.n_classes

    def draw() -> None:
        *_, _last = trajectory(model, (n, *task.shape), labels, rng=torch.Generator(on))

    seconds = median_seconds(draw, args.rounds, on)
    print(f"sampling: {n / seconds:,.0f} images/s ({n} at once, DPM-Solver++ 2M, 20 steps, {seconds:.2f} s)")
    return 0


def median_seconds(run: Callable[[], object], rounds: int, on: torch.device) -> float:
    """Of several runs after two to warm up, waiting for the device each time."""
    seconds = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        run()
        if on.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[2:])[rounds // 2]
