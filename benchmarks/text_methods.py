"""Every way to diffuse text, on `dates`, with the same trunk and recipe: what a few minutes of each reach.

    python -m benchmarks.text_methods            # trains all of them, 600 steps each; 13 core minutes

Valid shares of 500 samples; the bound is in nats per sentence.

With uniform noise SEDD depends on what its network says. Where that is log s itself, 600 steps reach 14.2
nats and 1 % valid at 100 calls; in the units of `RatioDenoiser` 8.8 and 62 %; where it is a posterior, whose
ratios enter the same loss, 8.6 and 91 %. The loss weighs an error in a ratio by the ratio, here up to 33 / t.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from diffusion_lab import d3pm, grids
from diffusion_lab.denoisers import TokenDenoiser
from diffusion_lab.losses import masked
from diffusion_lab.metrics.text import bound
from diffusion_lab.models.text import TextNet
from diffusion_lab.processes import Categorical, TokenNoise
from diffusion_lab.samplers import ddim, final
from diffusion_lab.schedules import Flow
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks.text import SIZE, TASKS
from diffusion_lab.text import LANGUAGES, RatioDenoiser, in_order, log_ratios, score_entropy, sedd
from diffusion_lab.text.blocks import BlockBound, BlockNet, block_writing
from diffusion_lab.text.embedded import Embedded, EmbeddedText
from diffusion_lab.text.scores import PLANS, SAMPLES, sampled, validity
from diffusion_lab.training import Objective

from .machine import table
from .parts import print_parts
from .trained import trained

STEPS = 600
LANGUAGE = LANGUAGES["dates"]()
VOCAB, LENGTH = LANGUAGE.alphabet.size, LANGUAGE.length
LAW = grids.stratified_law(1e-3, 0.999)

Sample = Callable[[Any, int], Tensor]
"""(trained model, calls) -> rows of ids."""


def net(vocab: int) -> TextNet:
    """The network of `TASKS`."""
    return TextNet(vocab, LENGTH, **SIZE)


def mask() -> Categorical:
    """One more id."""
    return Categorical.masked(Flow(), VOCAB)


def uniform() -> Categorical:
    """Any id."""
    return Categorical.uniform(Flow(), VOCAB)


def ancestrally(model: Any, steps: int) -> Tensor:
    """Each token by its own coin."""
    return sampled(model, LANGUAGE, steps)


def most_certain(model: TokenDenoiser, steps: int) -> Tensor:
    """The same number at every call."""
    return sampled(in_order(model, PLANS["certainty"]), LANGUAGE, steps)


def in_blocks(model: BlockNet, steps: int) -> Tensor:
    """The same calls, shared by the blocks."""
    *_, x = block_writing(model, SAMPLES, max(1, steps * model.block // LENGTH), rng_at("texts", 0, 0))
    return x


@torch.no_grad()
def rounded(model: EmbeddedText, steps: int, clamp: bool) -> Tensor:
    """DDIM in vectors, then the nearest token."""
    noise = torch.randn(SAMPLES, LENGTH, model.dim, generator=rng_at("texts", 0, 0))
    return model.decode(
        final(ddim(model.clamped() if clamp else model.denoiser, noise, grids.uniform(steps)))
    )


def entropy_of_posterior(
    model: TokenDenoiser, x0: Tensor, t: Tensor, noise: TokenNoise, cond: Any = None
) -> Tensor:
    """SEDD's loss of the ratios that a law of x_0 implies: D3PM in continuous time."""
    x = model.process.diffuse(x0, t, noise)
    return score_entropy(model.process, log_ratios(model.process, model(x, t, cond), x, t), x, x0, t)


def objective(loss: Callable[..., Tensor]) -> Callable[[Any], nn.Module]:
    """A loss of the core, at stratified times."""
    return partial(Objective, law=LAW, loss=loss)


@dataclass(frozen=True)
class Method:
    """How to build it, how to train it, and the ways to sample it."""

    model: Callable[[], Any]
    objective: Callable[[Any], nn.Module]
    samples: dict[str, Sample]


METHODS = [
    Method(
        lambda: TokenDenoiser(net(VOCAB + 1), mask()),
        objective(masked),
        {"MDLM": ancestrally, "MDLM, certain first": most_certain},
    ),
    Method(lambda: RatioDenoiser(net(VOCAB + 1), mask()), objective(sedd), {"SEDD, absorbing": ancestrally}),
    Method(lambda: RatioDenoiser(net(VOCAB), uniform()), objective(sedd), {"SEDD, uniform": ancestrally}),
    Method(
        lambda: TokenDenoiser(net(VOCAB), uniform()),
        objective(entropy_of_posterior),
        {"SEDD's loss of a posterior, uniform": ancestrally},
    ),
    Method(
        lambda: TokenDenoiser(net(VOCAB), d3pm.from_categorical(uniform(), 4 * LENGTH)),
        objective(d3pm.step_bound),
        {"D3PM, uniform": ancestrally},
    ),
    Method(
        lambda: BlockNet(VOCAB, LENGTH, 5, **SIZE),
        partial(BlockBound, law=LAW),
        {"blocks of 5": in_blocks},
    ),
    Method(
        lambda: EmbeddedText(VOCAB, LENGTH, **SIZE),
        partial(Embedded, law=LAW),
        {"embeddings": partial(rounded, clamp=False), "embeddings, clamped": partial(rounded, clamp=True)},
    ),
]


def rows_of(method: Method) -> Iterator[list[str]]:
    """Train once, sample in every way."""
    recipe = replace(TASKS["dates"].recipe, steps=STEPS)
    task = replace(TASKS["dates"], model=method.model, objective=method.objective, recipe=recipe)
    model, seconds, cores = trained(task.trainer())
    nats = bound(method.objective(model), LANGUAGE.rows("test"), rng_at("bound", 0, 0))
    for name, sample in method.samples.items():
        valid = [f"{validity(sample(model, n), LANGUAGE)['valid']:.3f}" for n in (LENGTH, 4 * LENGTH)]
        likelihood = "" if name.startswith("emb") else f"{nats.mean:.2f} ± {nats.error:.2f}"
        yield [name, f"{seconds:.0f}", f"{cores:.0f}", likelihood, *valid]


def compared() -> str:
    """One row per way to sample."""
    rows = [row for method in METHODS for row in rows_of(method)]
    header = ["method", "training s", "core s", "bound, held out", f"{LENGTH} calls", f"{4 * LENGTH} calls"]
    return table(header, rows)


if __name__ == "__main__":
    print_parts({"methods": compared}, ["methods"], __doc__)
