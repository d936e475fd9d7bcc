"""Captions to pictures: how often a picture is what its caption says, and what the edits and adapters do.

    python -m benchmarks.captions                    # everything with shipped weights, about two minutes
    python -m benchmarks.captions composition        # trains the captioned model from scratch
    python -m benchmarks.captions variants           # and its rivals: adaLN in a UNet and a DiT, joint
    attention python -m benchmarks.captions inpainting | cascade | personal    # these train what they compare

Pictures are judged by a classifier of real renders. Figures after +- are standard errors of a share.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_lab import cascade, editing, judged, zoo
from diffusion_lab.data import drawn
from diffusion_lab.denoisers import Denoiser, given
from diffusion_lab.grids import logit_normal_law, uniform
from diffusion_lab.guidance import cfg
from diffusion_lab.models.adapters import Given, add_lora
from diffusion_lab.personalise import PriorPreservation, with_new_word
from diffusion_lab.samplers import ddim, dpmpp_2m, final
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks import captions, pictured
from diffusion_lab.training import Objective, Recipe, Trainer

from .machine import machine, table

SCALES = (1.0, 1.5, 2.0, 4.0, 8.0)
N = 200


def share(values: Tensor) -> str:
    """A mean of zeros and ones with its standard error."""
    p = float(values.mean())
    return f"{p:.3f} +- {(p * (1 - p) / len(values)) ** 0.5:.3f}"


def trained(trainer: Trainer) -> tuple[Denoiser, float]:
    """The averaged model and the seconds its training took."""
    start = time.perf_counter()
    for _ in trainer.fit():
        pass
    return trainer.averaged.requires_grad_(False).eval(), time.perf_counter() - start


def scales(model: Denoiser | None = None) -> None:
    """All four attributes right, by guidance."""
    model = model or zoo.denoiser("drawn")
    rows = []
    for w in SCALES:
        scores = judged.composition(model, w)
        rows.append([f"{w:g}", f"{scores['seen']:.3f}", f"{scores['held_out']:.3f}"])
    print(table(["w", "seen combinations", "held out"], rows), "\n")


def composition() -> None:
    """The shipped recipe from scratch."""
    task = captions.TASKS["drawn"]
    model, seconds = trained(task.trainer())
    print(f"captions -> pictures: {task.recipe.steps} steps of {task.batch} in {seconds:.0f} s\n")
    scales(model)


def variants() -> None:
    """Four ways for words into a network, with the same recipe but for the learning rate."""
    rows = []
    for name in ("drawn", "drawn-pooled", "drawn-dit", "drawn-joint"):
        model, seconds = trained(captions.TASKS[name].trainer())
        scores = [judged.composition(model, w) for w in (1.0, 2.0)]
        size = sum(p.numel() for p in model.parameters())
        shares = [f"{s[part]:.3f}" for s in scores for part in ("seen", "held_out")]
        rows.append([name, f"{size / 1e3:.0f} k", f"{seconds:.0f}", *shares])
    print(table(["network", "size", "seconds", "seen, w = 1", "held out", "seen, w = 2", "held out"], rows))


def control() -> None:
    """Captions that name the shade alone, with and without the outline that says the rest."""
    rng = rng_at("control", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    said = torch.tensor([False, True, False, False]).expand(N, 4)
    words, image, real = drawn.captions(scenes, said), drawn.outlines(d), drawn.painted(d)
    model = zoo.denoiser("drawn-control")
    given_map, null = Given(words, image), Given(torch.zeros_like(words), image)
    z, ts = torch.randn(N, 1, 16, 16, generator=rng), uniform(20)
    with_map = final(dpmpp_2m(cfg(model, given_map, null, 1.5), z, ts)).clamp(-1, 1)
    without = judged.drawn_pictures(zoo.denoiser("drawn"), words, 1.5, rng_at("control", 0, 1)).clamp(-1, 1)
    by, rows = judged.judge(), []
    for name, x in (("caption alone", without), ("with ControlNet", with_map), ("real", real)):
        right = judged.right(x, scenes, by)
        error = (x - real).square().mean().sqrt()
        rows.append([name, *[f"{v:.3f}" for v in right.mean(0).tolist()], f"{error:.3f}"])
    print(table(["", *drawn.ATTRIBUTES, "rms error to the outlined picture"], rows), "\n")


def swapped_words() -> None:
    """Prompt-to-prompt: one word of the caption changed, from the same noise."""
    rng = rng_at("edit", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    other = scenes.clone()
    other[:, 2] = (scenes[:, 2] + 1 + torch.randint(4, (N,), generator=rng)) % 5  # another shape
    source, target = drawn.captions(scenes), drawn.captions(other)
    z, model, by, rows = torch.randn(N, 1, 16, 16, generator=rng), zoo.denoiser("drawn"), judged.judge(), []
    for until in (1.0, 0.7, 0.4, 0.0):
        steps = editing.prompt_to_prompt(
            model, source, target, torch.zeros_like(source), z, uniform(20), 2.0, until, dpmpp_2m
        )
        before, after = final(steps).clamp(-1, 1).chunk(2)
        right = judged.right(after, other, by)
        kept = right[:, [0, 1, 3]].prod(1)
        moved = (centre(before) - centre(after)).norm(dim=1).mean()
        rows.append([f"{until:g}", share(right[:, 2]), share(kept), f"{moved:.2f}"])
    print(
        table(["maps borrowed while t >", "new shape", "all else as told", "centre moves, pixels"], rows),
        "\n",
    )


def centre(x: Tensor) -> Tensor:
    """Where the middle of a shape's box is, (n, 2): the means of its first and last inked row and column."""
    ink = (x[:, 0] + 1).clamp(min=0)
    ink = ink / ink.amax((1, 2), keepdim=True)
    place = torch.arange(x.shape[-1]) + 0.5
    sides = []
    for profile in (ink.amax(1), ink.amax(2)):
        inside = profile > 0.5
        low = torch.where(inside, place, torch.inf).amin(1)
        high = torch.where(inside, place, -torch.inf).amax(1)
        sides.append((low + high) / 2)
    return torch.stack(sides, 1)


def sdedit() -> None:
    """A grey disc redrawn as a white ring: what is gained and lost with strength."""
    rng = rng_at("sdedit", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    other = scenes.clone()
    other[:, 2] = (scenes[:, 2] + 1) % 5
    x0, z = drawn.render(scenes, rng), torch.randn(N, 1, 16, 16, generator=rng)
    words, model, by, rows = drawn.captions(other), zoo.denoiser("drawn"), judged.judge(), []
    guided = cfg(model, words, torch.zeros_like(words), 2.0)
    for strength in (0.3, 0.5, 0.7, 0.9, 1.0):
        x = final(editing.sdedit(guided, x0, strength, 20, z)).clamp(-1, 1)
        new = judged.right(x, other, by)[:, 2]
        moved = (centre(x0) - centre(x)).norm(dim=1).mean()
        rows.append([f"{strength:g}", share(new), f"{moved:.2f}"])
    print(table(["strength", "has the new shape", "centre moves, pixels"], rows), "\n")


def inpainting() -> None:
    """The lower half of a picture made again, by three methods: does it agree with the upper half?"""
    model, seconds = trained(pictured.TASKS["drawn-inpaint"].trainer())
    compare_inpainting(model, seconds)


def compare_inpainting(model: Denoiser, seconds: float) -> None:
    rng = rng_at("inpainting", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    x0, mask = drawn.painted(d), torch.ones(N, 1, 16, 16)
    cut = d.centre[:, 1].round().long()
    mask = mask * (torch.arange(16)[None, :, None] < cut[:, None, None])[:, None]
    z, ts, free = torch.randn(N, 1, 16, 16, generator=rng), uniform(20), given(zoo.denoiser("drawn"), None)
    made = {
        "x_0_hat filled in": final(ddim(editing.filled(free, x0, mask), z, ts)),
        "RePaint, no resampling": final(editing.repaint(free, z, ts, x0, mask, rng, 1)),
        "RePaint, 5 turns": final(editing.repaint(free, z, ts, x0, mask, rng, 5)),
        f"mask channel ({seconds:.0f} s of training)": final(
            ddim(given(model, Given(None, editing.hidden(x0, mask))), z, ts)
        ),
    }
    by, rows = judged.judge(), []
    for name, x in made.items():
        x = x.clamp(-1, 1)
        error = ((x - x0).square() * (1 - mask)).sum() / (1 - mask).sum()
        rows.append([name, share(judged.right(x, scenes, by).prod(1)), f"{error**0.5:.3f}"])
    print(table(["method", "still what it was", "rms error of the made half"], rows), "\n")


def super_resolution() -> None:
    """8 -> 16 -> 32, by how much the second stage distrusts the first."""
    stages = [(trained(pictured.TASKS[f"drawn-{size}"].trainer())[0], size) for size in (16, 32)]
    compare_cascade(stages)


@torch.no_grad()
def compare_cascade(stages: list[tuple[Denoiser, int]]) -> None:
    rng = rng_at("cascade", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    small, real, by, rows = drawn.painted(d, 8), drawn.painted(d, 32), judged.judge(), []
    bilinear = F.interpolate(small, (32, 32), mode="bilinear")
    results = {"bilinear": bilinear}
    for level in (0.0, 0.1, 0.3):
        results[f"cascade, level {level:g}"] = cascade.cascaded(
            small, stages, rng_at("cascade", 0, 1), level
        )[-1]
    for name, x in results.items():
        x = x.clamp(-1, 1)
        back = (F.avg_pool2d(x, 4) - small).square().mean().sqrt()
        error = (x - real).square().mean().sqrt()
        right = judged.right(x, scenes, by).prod(1)
        rows.append([name, share(right), f"{error:.3f}", f"{back:.3f}"])
    print(table(["8 -> 32 pixels", "still what it was", "rms error", "pooled back to 8"], rows), "\n")


HEART = list(drawn.SHAPES).index("heart")


def hearts(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures of the new shape, with what else is true of them."""
    scenes = drawn.random_scenes(n, rng)
    d = drawn.drawing(scenes, rng)
    return drawn.painted(d._replace(shape=torch.full((n,), HEART))), scenes


def with_word(scenes: Tensor, word: int) -> Tensor:
    """Captions whose shape is `word`."""
    words = drawn.captions(scenes)
    words[:, 3] = word
    return words


def personal() -> None:
    """A heart, from eight pictures of it: three ways to teach it, and what each forgets."""
    rng = rng_at("hearts", 0, 0)
    x, scenes = hearts(8, rng)
    rare, law = drawn.NUMBERS[drawn.RARE], logit_normal_law()
    prior_scenes = drawn.random_scenes(64, rng)
    prior = judged.drawn_pictures(zoo.denoiser("drawn"), drawn.captions(prior_scenes), 1.5, rng)

    def pairs(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.randint(64, (8,), generator=rng_at("prior", 0, step))
        words = torch.cat([with_word(scenes, rare), drawn.captions(prior_scenes[rows])])
        return torch.cat([x, prior[rows]]), words

    def new_alone(number: int) -> Callable[[int], tuple[Tensor, Tensor]]:
        return lambda step: (x, with_word(scenes, number))

    inverted, number = with_new_word(zoo.denoiser("drawn"), drawn.NUMBERS["disc"])
    low_rank = zoo.denoiser("drawn")
    add_lora(low_rank, rank=4, where=lambda name, layer: isinstance(layer, torch.nn.Linear))
    every = zoo.denoiser("drawn").requires_grad_(True)
    loose = zoo.denoiser("drawn").requires_grad_(True)
    runs = {
        "textual inversion": (Objective(inverted, law), new_alone(number), number, Recipe(300, lr=3e-2)),
        "all weights, no prior": (Objective(loose, law), new_alone(rare), rare, Recipe(300, lr=5e-4)),
        "DreamBooth": (PriorPreservation(every, law), pairs, rare, Recipe(300, lr=5e-4)),
        "DreamBooth-LoRA": (PriorPreservation(low_rank, law), pairs, rare, Recipe(300, lr=3e-3)),
    }
    rows = [personal_row("before", zoo.denoiser("drawn"), rare, 0, 0.0)]
    for name, (objective, batches, word, recipe) in runs.items():
        moves = sum(p.numel() for p in objective.model.parameters() if p.requires_grad)
        model, seconds = trained(Trainer(objective, batches, replace(recipe, ema=0.98, warmup=20)))
        rows.append(personal_row(name, model, word, moves, seconds))
    print(table(["", "numbers that move", "seconds", "draws a heart", "old captions right"], rows), "\n")


def personal_row(name: str, model: Denoiser, word: int, moves: int, seconds: float) -> list[str]:
    scenes = drawn.random_scenes(N, rng_at("personal", 0, 0))
    new = judged.drawn_pictures(model, with_word(scenes, word), 2.0, rng_at("personal", 0, 1))
    old = judged.drawn_pictures(model, drawn.captions(scenes), 2.0, rng_at("personal", 0, 2))
    heart = (nearest_shape(new.clamp(-1, 1)) == HEART).float()
    right = judged.right(old, scenes, judged.judge()).prod(1)
    return [name, f"{moves}", f"{seconds:.0f}", share(heart), share(right)]


def nearest_shape(x: Tensor) -> Tensor:
    """The shape, hearts among them, of the best of 6 x 400 templates by correlation of ink."""
    line = torch.arange(8) * 1.2 + 3.8
    r, cx, cy = torch.cartesian_prod(torch.tensor([2.4, 2.7, 3.0, 4.2, 4.5, 4.8]), line, line).unbind(1)
    every = []
    for shape in range(len(drawn.SHAPES)):
        d = drawn.Drawing(torch.full((len(r),), shape), r, torch.stack([cx, cy], 1), torch.ones(len(r)))
        every.append(F.normalize((drawn.painted(d) + 1).flatten(1)))
    ink = F.normalize((x + 1).flatten(1))
    return torch.stack([(ink @ templates.T).amax(1) for templates in every], 1).argmax(1)


PARTS: dict[str, Callable[[], None]] = {
    "scales": scales,
    "control": control,
    "swap": swapped_words,
    "sdedit": sdedit,
    "composition": composition,
    "variants": variants,
    "inpainting": inpainting,
    "cascade": super_resolution,
    "personal": personal,
}
QUICK = ("scales", "control", "swap", "sdedit")


def main() -> None:
    """Print the parts that are named, or those that need no training."""
    names = sys.argv[1:] or QUICK
    if unknown := set(names) - set(PARTS):
        raise SystemExit(f"there is no part {sorted(unknown)[0]!r}: choose of {', '.join(PARTS)}.")
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    for name in names:
        PARTS[name]()


if __name__ == "__main__":
    main()
