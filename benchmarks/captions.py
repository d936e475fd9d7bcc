"""Captions to pictures: how often a picture is what its caption says.

    python -m benchmarks.captions                    # the shipped model, seconds
    python -m benchmarks.captions composition        # trains it from scratch
    python -m benchmarks.captions attention pooled dit joint

The last line trains four ways for words into a network, a third of the recipe each: cross-attention in a
UNet, which ships, adaLN in a UNet and in a DiT, and joint attention.

Pictures are judged by a classifier of real renders: a picture counts where all four attributes are named as
the caption says. 496 pictures of combinations seen in training, 104 of those held out.
"""

from functools import partial

from diffusion_lab import judged, zoo
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.tasks import captions, task_named

from .machine import table
from .parts import Parts, print_parts
from .trained import trained

SCALES = (1.0, 1.5, 2.0, 4.0, 8.0)


def shipped() -> str:
    """All four attributes right, by guidance."""
    return by_scale(zoo.denoiser("drawn"))


def by_scale(model: Denoiser) -> str:
    """One row per w."""
    rows = []
    for w in SCALES:
        scores = judged.composition(model, w)
        rows.append([f"{w:g}", f"{scores['seen']:.3f}", f"{scores['held_out']:.3f}"])
    return table(["w", "seen combinations", "held out"], rows)


def composition() -> str:
    """The shipped recipe from its first step."""
    task = captions.TASKS["drawn"]
    model, seconds, cores = trained(task.trainer())
    spent = f"{task.recipe.steps} steps of {task.batch} in {seconds:.0f} s ({cores:.0f} core s)"
    return f"{spent}\n\n{by_scale(model)}"


def variant(name: str) -> str:
    """One way for words into a network, in a third of the shipped recipe's steps."""
    task = task_named(name, steps=1000)
    model, seconds, cores = trained(task.trainer())
    scores = [judged.composition(model, w) for w in (1.0, 2.0)]
    size = f"{sum(p.numel() for p in model.parameters()) / 1e3:.0f} k"
    shares = [f"{s[part]:.3f}" for s in scores for part in ("seen", "held_out")]
    header = ["network", "size", "s", "core s", "seen, w = 1", "held out", "seen, w = 2", "held out"]
    return table(header, [[name, size, f"{seconds:.0f}", f"{cores:.0f}", *shares]])


PARTS: Parts = {
    "shipped": shipped,
    "composition": composition,
    "attention": partial(variant, "drawn"),
    "pooled": partial(variant, "drawn-pooled"),
    "dit": partial(variant, "drawn-dit"),
    "joint": partial(variant, "drawn-joint"),
}

if __name__ == "__main__":
    print_parts(PARTS, ["shipped"], __doc__)
