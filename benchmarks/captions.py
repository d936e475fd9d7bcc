"""Captions to pictures: how often a picture is what its caption says.

    python -m benchmarks.captions                    # the shipped models, minutes
    python -m benchmarks.captions composition styled-composition    # trains them from scratch
    python -m benchmarks.captions attention pooled dit joint

The last line trains four ways for words into a network, 1000 steps each, a third of what ships:
cross-attention in a UNet, which ships, adaLN in a UNet and in a DiT, and joint attention.

Pictures are judged by a classifier of real renders: a picture counts where all four attributes are named as
the caption says. Of the drawn world 496 pictures of combinations seen in training and 104 of those held out,
of digits with style words 608 and 112. The last row of a table is the judge's own: real pictures that nothing
was trained on.
"""

from functools import partial

from diffusion_lab import judged, zoo
from diffusion_lab.data.registry import WORLDS
from diffusion_lab.data.world import World
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.tasks import captions, task_named

from .machine import table
from .parts import Parts, print_parts
from .trained import trained

SCALES = (1.0, 1.5, 2.0, 4.0, 8.0)


def shipped(name: str) -> str:
    """All four attributes right, by guidance, and each of them where the combination was held out."""
    return by_scale(zoo.denoiser(name), WORLDS[name])


def by_scale(model: Denoiser, world: World) -> str:
    """One row per w, and one for real pictures."""
    rows = [row(f"{w:g}", judged.composition(model, w, world=world)) for w in SCALES]
    header = ["w", "seen combinations", "held out", *[f"held out, {name}" for name in world.attributes]]
    return table(header, [*rows, row("real pictures", judged.real(world=world))])


def row(name: str, verdict: judged.Verdict) -> list[str]:
    """Both shares, and by attribute that of the combinations held out."""
    shares = [*verdict.shares().values(), *verdict.good[verdict.unseen].mean(0).tolist()]
    return [name, *[f"{share:.3f}" for share in shares]]


def composition(name: str) -> str:
    """A shipped recipe from its first step."""
    task = captions.TASKS[name]
    model, seconds, cores = trained(task.trainer())
    spent = f"{task.recipe.steps} steps of {task.batch} in {seconds:.0f} s ({cores:.0f} core s)"
    return f"{spent}\n\n{by_scale(model, WORLDS[name])}"


def variant(name: str) -> str:
    """One way for words into a network, in a third of the shipped model's steps."""
    task = task_named(name, steps=1000)
    model, seconds, cores = trained(task.trainer())
    scores = [judged.composition(model, w).shares() for w in (1.0, 2.0)]
    size = f"{sum(p.numel() for p in model.parameters()) / 1e3:.0f} k"
    shares = [f"{s[part]:.3f}" for s in scores for part in ("seen", "held_out")]
    header = ["network", "size", "s", "core s", "seen, w = 1", "held out", "seen, w = 2", "held out"]
    return table(header, [[name, size, f"{seconds:.0f}", f"{cores:.0f}", *shares]])


PARTS: Parts = {
    "shipped": partial(shipped, "drawn"),
    "styled": partial(shipped, "digits-styled"),
    "composition": partial(composition, "drawn"),
    "styled-composition": partial(composition, "digits-styled"),
    "attention": partial(variant, "drawn"),
    "pooled": partial(variant, "drawn-pooled"),
    "dit": partial(variant, "drawn-dit"),
    "joint": partial(variant, "drawn-joint"),
}

if __name__ == "__main__":
    print_parts(PARTS, ["shipped", "styled"], __doc__)
