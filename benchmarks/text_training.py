"""Text from scratch: how validity grows with training, by the order of unmasking, beside the twin's.

    python -m benchmarks.text_training dates              # what ships: 14 core minutes
    python -m benchmarks.text_training arithmetic         # spelled sums, the hard one: 19 core minutes

Ten looks at both models of a pair, which share texts, recipe and size. Validity is that of 500 samples, in
brackets the share that is valid and different. core s: seconds of all cores together.
"""

import time
from collections.abc import Iterator
from functools import partial

import torch

from diffusion_lab.denoisers import TokenDenoiser
from diffusion_lab.models.text import Causal
from diffusion_lab.tasks import Task
from diffusion_lab.tasks.text import PAIRS
from diffusion_lab.text import LANGUAGES, Language, in_order, nll
from diffusion_lab.text.scores import PLANS, masked_bound, sampled

from .machine import table
from .parts import Parts, print_parts
from .text import from_nothing, shares

LOOKS = 10


def learning(name: str) -> str:
    """Both models of a pair."""
    language = LANGUAGES[name]()
    rows = [row for task in PAIRS[name] for row in looks(task, language)]
    header = ["model", "steps", "s", "core s", "bound or NLL", "held out", *PLANS, "left to right"]
    return table(header, rows)


def looks(task: Task, language: Language) -> Iterator[list[str]]:
    """Train, and stop the clocks ten times to look."""
    trainer, spent, cores = task.trainer(), 0.0, 0.0
    start, used = time.perf_counter(), time.process_time()
    for record in trainer.fit():
        if record.step % (task.recipe.steps // LOOKS):
            continue
        spent, cores = spent + time.perf_counter() - start, cores + time.process_time() - used
        yield [task.name, str(record.step), f"{spent:.0f}", f"{cores:.0f}", *seen(trainer.averaged, language)]
        start, used = time.perf_counter(), time.process_time()


def seen(model: TokenDenoiser | Causal, language: Language) -> list[str]:
    """Likelihood on both splits, then validity by order."""
    splits = [language.rows(split)[:500] for split in ("train", "test")]
    if isinstance(model, Causal):
        with torch.no_grad():
            nats = [f"{nll(model, x0).mean():.3f}" for x0 in splits]
        return [*nats, *[""] * len(PLANS), shares(from_nothing(model), language)]
    nats = [f"{masked_bound(model, x0).mean:.3f}" for x0 in splits]
    ways = [in_order(model, plan) for plan in PLANS.values()]
    return [*nats, *[shares(sampled(way, language, language.length), language) for way in ways], ""]


PARTS: Parts = {name: partial(learning, name) for name in PAIRS}

if __name__ == "__main__":
    print_parts(PARTS, ["dates"], __doc__)
