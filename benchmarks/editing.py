"""Edits of drawn pictures: what each gains and what it loses.

    python -m benchmarks.editing                        # control, swap, sdedit: shipped weights, a minute
    python -m benchmarks.editing inpainting cascade     # these train the models that they compare

200 pictures, named by a classifier of real renders. Figures after +- are standard errors of a share.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_lab import cascade, editing, judged, zoo
from diffusion_lab.data import drawn
from diffusion_lab.denoisers import given
from diffusion_lab.grids import uniform
from diffusion_lab.guidance import cfg
from diffusion_lab.models.adapters import Given
from diffusion_lab.samplers import ddim, dpmpp_2m, final
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks import pictured

from .machine import table
from .parts import Parts, print_parts
from .trained import trained

N = 200
SHAPE = list(drawn.ATTRIBUTES).index("shape")


def share(values: Tensor) -> str:
    """A mean of zeros and ones with its standard error."""
    p = float(values.mean())
    return f"{p:.3f} +- {(p * (1 - p) / len(values)) ** 0.5:.3f}"


def control() -> str:
    """Captions that name the shade alone, with and without the outline that says the rest."""
    rng = rng_at("control", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    words = drawn.captions(scenes, torch.tensor([a == "shade" for a in drawn.ATTRIBUTES]).expand(N, -1))
    image, real, by = drawn.outlines(d), drawn.painted(d), judged.judge()
    given_map, null = Given(words, image), Given(torch.zeros_like(words), image)
    guided = cfg(zoo.denoiser("drawn-control"), given_map, null, 1.5)
    pictures = {
        "caption alone": judged.drawn_pictures(zoo.denoiser("drawn"), words, 1.5, rng_at("control", 0, 1)),
        "with ControlNet": final(dpmpp_2m(guided, torch.randn(N, 1, 16, 16, generator=rng), uniform(20))),
        "real": real,
    }
    rows = []
    for name, x in pictures.items():
        right = judged.right(x, scenes, by).mean(0).tolist()
        rows.append([name, *[f"{v:.3f}" for v in right], f"{rms(x, real):.3f}"])
    return table(["", *drawn.ATTRIBUTES, "rms error to the outlined picture"], rows)


def rms(x: Tensor, real: Tensor) -> float:
    """Root mean squared difference of the clamped picture."""
    return float((x.clamp(-1, 1) - real).square().mean().sqrt())


def other_shapes(scenes: Tensor, step: Tensor | int) -> Tensor:
    """The same scenes with the shape `step` further on."""
    other = scenes.clone()
    other[:, SHAPE] = (scenes[:, SHAPE] + step) % drawn.COUNTS[SHAPE]
    return other


def swap() -> str:
    """Prompt-to-prompt: one word of the caption changed, from the same noise."""
    rng = rng_at("edit", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    other = other_shapes(scenes, 1 + torch.randint(4, (N,), generator=rng))
    source, target = drawn.captions(scenes), drawn.captions(other)
    z, model, by, rows = torch.randn(N, 1, 16, 16, generator=rng), zoo.denoiser("drawn"), judged.judge(), []
    for until in (1.0, 0.7, 0.4, 0.0):
        steps = editing.prompt_to_prompt(
            model, source, target, torch.zeros_like(source), z, uniform(20), 2.0, until, dpmpp_2m
        )
        before, after = final(steps).clamp(-1, 1).chunk(2)
        right = judged.right(after, other, by)
        kept = right[:, [i for i in range(4) if i != SHAPE]].prod(1)
        rows.append([f"{until:g}", share(right[:, SHAPE]), share(kept), f"{moved(before, after):.2f}"])
    return table(["maps borrowed while t >", "new shape", "all else as told", "centre moves, pixels"], rows)


def moved(before: Tensor, after: Tensor) -> float:
    """How far the middle of the shape's box went, in pixels, on average."""
    return (centre(before) - centre(after)).norm(dim=1).mean().item()


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


def sdedit() -> str:
    """A picture redrawn under a caption with another shape: what is gained and lost with strength."""
    rng = rng_at("sdedit", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    other = other_shapes(scenes, 1)
    x0, z = drawn.render(scenes, rng), torch.randn(N, 1, 16, 16, generator=rng)
    words, by, rows = drawn.captions(other), judged.judge(), []
    guided = cfg(zoo.denoiser("drawn"), words, torch.zeros_like(words), 2.0)
    for strength in (0.3, 0.5, 0.7, 0.9, 1.0):
        x = final(editing.sdedit(guided, x0, strength, 20, z)).clamp(-1, 1)
        new = judged.right(x, other, by)[:, SHAPE]
        rows.append([f"{strength:g}", share(new), f"{moved(x0, x):.2f}"])
    return table(["strength", "has the new shape", "centre moves, pixels"], rows)


@torch.no_grad()
def inpainting() -> str:
    """The lower half of a picture made again: does it agree with the upper half?"""
    with torch.enable_grad():
        model, seconds, _ = trained(pictured.TASKS["drawn-inpaint"].trainer())
    rng = rng_at("inpainting", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    x0, cut = drawn.painted(d), d.centre[:, 1].round().long()
    mask = (torch.arange(16)[:, None] < cut[:, None, None, None]).to(x0).expand(-1, -1, -1, 16)
    z, ts, free = torch.randn(N, 1, 16, 16, generator=rng), uniform(20), given(zoo.denoiser("drawn"), None)
    seen = given(model, Given(None, editing.hidden(x0, mask)))
    made = {
        "x_0_hat filled in": final(ddim(editing.filled(free, x0, mask), z, ts)),
        "RePaint, no resampling": final(editing.repaint(free, z, ts, x0, mask, rng, 1)),
        "RePaint, 5 turns": final(editing.repaint(free, z, ts, x0, mask, rng, 5)),
        f"mask channel ({seconds:.0f} s of training)": final(ddim(seen, z, ts)),
    }
    by, rows = judged.judge(), []
    for name, x in made.items():
        error = ((x.clamp(-1, 1) - x0).square() * (1 - mask)).sum() / (1 - mask).sum()
        rows.append([name, share(judged.right(x, scenes, by).prod(1)), f"{error**0.5:.3f}"])
    return table(["method", "still what it was", "rms error of the made half"], rows)


@torch.no_grad()
def super_resolution() -> str:
    """8 -> 16 -> 32, by how much the second stage distrusts the first."""
    with torch.enable_grad():
        stages = [(trained(pictured.TASKS[f"drawn-{size}"].trainer()).model, size) for size in (16, 32)]
    rng = rng_at("cascade", 0, 0)
    scenes = drawn.random_scenes(N, rng)
    d = drawn.drawing(scenes, rng)
    small, real, by, rows = drawn.painted(d, 8), drawn.painted(d, 32), judged.judge(), []
    results = {"bilinear": F.interpolate(small, (32, 32), mode="bilinear")}
    for level in (0.0, 0.1, 0.3):
        made = cascade.cascaded(small, stages, rng_at("cascade", 0, 1), level)
        results[f"cascade, level {level:g}"] = made[-1]
    for name, x in results.items():
        back = rms(F.avg_pool2d(x.clamp(-1, 1), 4), small)
        right = judged.right(x, scenes, by).prod(1)
        rows.append([name, share(right), f"{rms(x, real):.3f}", f"{back:.3f}"])
    return table(["8 -> 32 pixels", "still what it was", "rms error", "pooled back to 8"], rows)


PARTS: Parts = {
    "control": control,
    "swap": swap,
    "sdedit": sdedit,
    "inpainting": inpainting,
    "cascade": super_resolution,
}

if __name__ == "__main__":
    print_parts(PARTS, ["control", "swap", "sdedit"], __doc__)
