"""Small languages and prose: masked diffusion and its autoregressive twin, of one size, on the same texts."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from ..data import Share
from ..denoisers import TokenDenoiser
from ..grids import stratified_law
from ..losses import masked
from ..models.text import Causal, TextNet
from ..processes import Categorical
from ..schedules import Flow
from ..text import Language, Likelihood, Prose, arithmetic, dates, drawn, prose
from ..training import Batches, Objective, Recipe
from .task import Task

SIZE = {"width": 96, "depth": 3, "heads": 4}
"""Of every text model here."""

Corpus = Language | Prose


def sentences(corpus: Corpus, share: Share, seed: int, device: torch.device) -> Batches:
    """Training texts, drawn with replacement."""
    return drawn(corpus.rows("train"), share, seed, device)


def masked_model(corpus: Corpus) -> TokenDenoiser:
    """The mask is one more id than the alphabet has."""
    vocab = corpus.alphabet.size
    return TokenDenoiser(TextNet(vocab + 1, corpus.length, **SIZE), Categorical.masked(Flow(), vocab))


def twin_model(corpus: Corpus) -> Causal:
    """The same blocks, reading from the left."""
    return Causal(corpus.alphabet.size, corpus.length, **SIZE)


def pair(name: str, corpus: Corpus, recipe: Recipe, batch: int = 128) -> tuple[Task, Task]:
    """MDLM, whose loss is the bound itself; and its twin on the same texts, recipe and size."""
    task = Task(
        name=name,
        batches=partial(sentences, corpus),
        shape=(corpus.length,),
        model=partial(masked_model, corpus),
        objective=partial(Objective, law=stratified_law(), loss=masked),
        recipe=recipe,
        batch=batch,
    )
    twin = replace(task, name=f"{name}-twin", model=partial(twin_model, corpus), objective=Likelihood)
    return task, twin


def prose_pair(path: Path, length: int = 64) -> tuple[Task, Task]:
    """Any text file, or a folder of pages and notebooks, by characters."""
    return pair(path.resolve().stem, prose(path, length), Recipe(steps=10_000, lr=2e-3, clip=10.0))


PAIRS: dict[str, tuple[Task, Task]] = {
    "dates": pair("dates", dates(), Recipe(steps=2000, lr=4e-3, ema=0.995, clip=10.0)),
    "arithmetic": pair("arithmetic", arithmetic(), Recipe(steps=5000, lr=4e-3, ema=0.995, clip=10.0), 256),
}
"""Language -> masked diffusion and its twin."""

TASKS: dict[str, Task] = {task.name: task for task in PAIRS["dates"]}
"""Those whose weights ship."""
