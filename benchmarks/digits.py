"""Digits: how good the shipped recipe is, and how long the textbook's takes with the same network.

    python -m benchmarks.digits

Textbook: eps, DDPM's linear table, uniform times, a constant learning rate of 1e-3 (the best of 4e-4, 1e-3
and 2e-3 here), moving average 0.999. Ours: velocity on the straight line, logit-normal times, a learning rate
of 4e-3 that warms up and falls. Both sample with 20 steps of DPM-Solver++(2M) from their averaged weights.
"""

import time
from dataclasses import replace
from statistics import mean

import torch

from diffusion_lab import quality
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.tasks import TASKS
from diffusion_lab.training import Recipe

from .machine import machine, table
from .trained import trained

OURS = TASKS["digits"]
TEXTBOOK = replace(
    TASKS["digits-eps"],
    name="textbook",
    recipe=Recipe(steps=6000, lr=1e-3, lr_end=1.0, warmup=0),
)
LOOK_EVERY = 250
FRECHET = "frechet_in_floors"


def scores(model: Denoiser, seeds: int = 3) -> dict[str, float]:
    """The card's scores, averaged over draws."""
    draws = [quality.digit_scores(*quality.digit_samples(model, seed)) for seed in range(seeds)]
    return {name: mean(draw[name] for draw in draws) for name in draws[0]}


def row(seconds: float, s: dict[str, float]) -> list[str]:
    """The shipped recipe from scratch, as a line of the table."""
    names = (FRECHET, "accuracy", "precision", "recall", "nearer_to_training")
    return [f"{OURS.recipe.steps} steps", f"{seconds:.0f} s", *[f"{s[name]:.3f}" for name in names]]


def race(goal: float, ours: float) -> str:
    """How long the textbook's training takes until it is as good as the shipped one, or to its end."""
    trainer, theirs, best = TEXTBOOK.trainer(), 0.0, float("inf")
    start = time.perf_counter()
    for record in trainer.fit():
        if record.step % LOOK_EVERY == 0:
            theirs += time.perf_counter() - start
            best = min(best, scores(trainer.averaged)[FRECHET])
            if best <= goal:
                break
            start = time.perf_counter()
    end = "got there" if best <= goal else f"stood at {best:.2f}"
    return (
        f"to a Frechet distance of {goal:.2f} floors: ours {ours:.0f} s ({OURS.recipe.steps} steps); "
        f"the textbook's {end} after {theirs:.0f} s ({trainer.step} steps): 1/{theirs / ours:.1f} of the time"
    )


def main() -> None:
    """Print both."""
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    ours = trained(OURS.trainer())
    reached = scores(ours.model)
    header = ["training", "time", "Frechet / floor", "accuracy", "precision", "recall", "nearer to training"]
    print(table(header, [row(ours.seconds, reached)]), "\n", flush=True)
    print(race(reached[FRECHET], ours.seconds))


if __name__ == "__main__":
    main()
