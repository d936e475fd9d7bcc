"""How good a text model is, measured the same way for cards, benchmarks and notebooks."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from .. import grids
from ..denoisers import Denoise, TokenDenoiser
from ..losses import masked
from ..metrics.text import Estimate, bound
from ..models.text import Causal
from ..samplers import ancestral, final
from ..seeds import rng_at
from ..training import Objective
from .edit import blank
from .languages import LANGUAGES, Language
from .twin import nll, written
from .unmask import Plan, certainty, confidence, in_order, quota, random

SAMPLES = 500

PLANS: dict[str, Plan] = {
    "random": quota(random),
    "confidence": quota(confidence),
    "certainty": quota(certainty),
}
"""The orders that are compared."""


@torch.no_grad()
def sampled(
    denoise: Denoise, language: Language, steps: int, n: int = SAMPLES, seed: int = 0
) -> Int[Tensor, "n l"]:
    """n texts in `steps` calls."""
    rng = rng_at("texts", seed, 0)
    return final(
        ancestral(denoise, blank(denoise.process, n, language.length, rng), grids.uniform(steps), rng)
    )


def validity(rows: Int[Tensor, "n l"], language: Language) -> dict[str, float]:
    """Shares of samples that are sentences, that are different sentences, and that were held out of
    training: a model that knows one sentence by heart is valid and no more."""
    texts, unseen = language.alphabet.texts(rows), set(language.alphabet.texts(language.rows("test")))
    good = [text for text in texts if language.check(text).valid]
    return {
        "valid": round(len(good) / len(texts), 4),
        "different": round(len(set(good)) / len(texts), 4),
        "unseen": round(sum(text in unseen for text in good) / len(texts), 4),
    }


def masked_bound(model: TokenDenoiser, rows: Int[Tensor, "n l"], rounds: int = 16) -> Estimate:
    """Nats per text. The times between 0 and 1e-5 are left out: they weigh 1e-5 of the whole."""
    return bound(Objective(model, grids.stratified_law(1e-5), masked), rows, rng_at("bound", 0, 0), rounds)


def of_masked(model: TokenDenoiser, language: Language) -> dict[str, float]:
    """For the card of a masked model: bound in nats per text, and validity at one token a step."""
    train, test = (masked_bound(model, language.rows(split)[:1000]) for split in ("train", "test"))
    scores = {"entropy": language.entropy, "bound": train.mean, "held_out_bound": test.mean}
    for name, plan in PLANS.items():
        share = validity(sampled(in_order(model, plan), language, language.length), language)["valid"]
        scores[f"valid_{name}"] = share
    return {name: round(score, 4) for name, score in scores.items()}


@torch.no_grad()
def of_twin(twin: Causal, language: Language) -> dict[str, float]:
    """For the card of a twin: its likelihood in nats per text, and its validity."""
    train, test = (nll(twin, language.rows(split)[:1000]).mean().item() for split in ("train", "test"))
    x = written(twin, torch.empty(SAMPLES, 0, dtype=torch.long), rng_at("texts", 0, 0))
    scores = {"entropy": language.entropy, "nll": train, "held_out_nll": test}
    return {name: round(score, 4) for name, score in scores.items()} | validity(x, language)


@torch.no_grad()
def infilled(
    twin: Causal, x0: Int[Tensor, "b l"], known: Bool[Tensor, "b l"], rng: torch.Generator
) -> Int[Tensor, "b l"]:
    """What the twin can do about a gap: write from its left edge, then put back what stands to the right.
    The gap must begin at the same place in all rows."""
    edge = int((~known).int().argmax(1)[0])
    return torch.where(known, x0, written(twin, x0[:, :edge], rng))


def of_shipped(model: TokenDenoiser | Causal, name: str) -> dict[str, float]:
    """For the card of a task of that name."""
    language = LANGUAGES[name.removesuffix("-twin")]()
    return of_twin(model, language) if isinstance(model, Causal) else of_masked(model, language)
