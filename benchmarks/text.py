"""Text: masked diffusion beside its autoregressive twin of the same size, on the shipped weights.

    python -m benchmarks.text                      likelihood, validity, speed, gaps, rewriting, diversity
    python -m benchmarks.text --train dates        from scratch: validity against training, by order
    python -m benchmarks.text --methods            D3PM, SEDD, blocks and embeddings on the same sentences

Seconds are of this machine under whatever load it has; core seconds are what the processes themselves used.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch

from diffusion_lab import grids, zoo
from diffusion_lab.denoisers import TokenDenoiser
from diffusion_lab.metrics.text import bleu, distinct, generative_perplexity, self_bleu
from diffusion_lab.models.text import Causal
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks.text import PAIRS
from diffusion_lab.text import (
    LANGUAGES,
    Language,
    blank,
    entropy_bounded,
    in_order,
    infill,
    nll,
    quota,
    revising,
    rewrite,
    sharpened,
    until_shown,
    written,
)
from diffusion_lab.text.scores import PLANS, infilled, masked_bound, sampled, validity
from diffusion_lab.text.unmask import certainty, random

from . import text_methods
from .machine import machine, table

SHIPPED = ("dates",)
DRAWS = 500


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description=__doc__)
    parser.add_argument("--train", choices=PAIRS)
    parser.add_argument("--methods", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    if args.train:
        print(learning(args.train))
    elif args.methods:
        print(text_methods.report(text_methods.METHODS))
    else:
        for name in SHIPPED:
            print(f"## {name}\n")
            for part in (likelihood, steps_and_orders, twin_speed, gaps, rewriting, diversity, revision):
                print(part(*loaded(name)), "\n", flush=True)


def loaded(name: str) -> tuple[TokenDenoiser, Causal, Language]:
    """Shipped model, shipped twin, and their language."""
    return zoo.denoiser(name), zoo.denoiser(f"{name}-twin"), LANGUAGES[name]()


def likelihood(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Nats per text on both splits."""
    rows = []
    for split in ("train", "test"):
        x0 = language.rows(split)[:1000]
        exact, most = nll(twin, x0).mean().item(), masked_bound(model, x0)
        gap = f"{100 * (most.mean / exact - 1):+.1f} %"
        rows.append(
            [split, f"{language.entropy:.3f}", f"{exact:.3f}", f"{most.mean:.3f} ± {most.error:.3f}", gap]
        )
    return table(["split", "entropy of training law", "twin's NLL", "masked bound", "gap"], rows)


def timed(run: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, float]:
    """A result and its seconds."""
    start = time.perf_counter()
    x = run()
    return x, time.perf_counter() - start


def steps_and_orders(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Valid (different) shares, and samples a second."""
    ways = {"each token's own coin": model} | {name: in_order(model, plan) for name, plan in PLANS.items()}
    l, rows = language.length, []
    for steps in [n for n in (1, 2, 4, 8, 16) if n < l] + [l, 2 * l]:
        cells, seconds = [], []
        for denoise in ways.values():
            x, s = timed(partial(sampled, denoise, language, steps, DRAWS))
            seconds.append(s)
            cells.append(shares(x, language))
        rows.append([str(steps), *cells, f"{DRAWS / min(seconds):.0f}"])
    for gamma in (0.01, 0.1, 0.5):
        start, rng = blank(model.process, DRAWS, l), rng_at("texts", 0, 0)
        walk = ancestral(in_order(model, entropy_bounded(gamma)), start, grids.uniform(l), rng)
        with torch.no_grad():
            steps_taken = list(until_shown(walk, model.process.mask))
        rows.append(
            [
                f"{len(steps_taken) - 1} (entropy bound {gamma})",
                "",
                "",
                "",
                shares(steps_taken[-1].x, language),
                "",
            ]
        )
    return table(["steps", *ways, "samples/s"], rows) + "\n\nvalid (and different) shares"


def shares(x: torch.Tensor, language: Language) -> str:
    """valid (different)."""
    scores = validity(x, language)
    return f"{scores['valid']:.3f} ({scores['different']:.2f})"


def twin_speed(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """The twin with its cache."""
    x, s = timed(lambda: written(twin, torch.empty(DRAWS, 0, dtype=torch.long), rng_at("texts", 0, 0)))
    unseen = validity(x, language)["unseen"]
    return (
        f"twin: valid (different) {shares(x, language)}, {DRAWS / s:.0f} samples/s, keys and values kept; "
        f"{unseen:.3f} of its samples are valid sentences that were held out of training"
    )


def gaps(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Held-out sentences whose middle third is missing: exact and valid fillings."""
    x0 = language.rows("test")[:DRAWS]
    third = int((x0 != 0).sum(1).float().mean() / 3)
    known = torch.ones_like(x0, dtype=torch.bool)
    known[:, third : 2 * third] = False
    rng = rng_at("gaps", 0, 0)
    with torch.no_grad():
        both = final(infill(in_order(model, quota(certainty)), x0, known, third, rng))
    left = infilled(twin, x0, known, rng)
    rows = [
        [who, f"{(x == x0).all(1).float().mean():.3f}", f"{language.valid(language.alphabet.texts(x)):.3f}"]
        for who, x in (("masked, both sides", both), ("twin, left side only", left))
    ]
    return table([f"tokens {third} to {2 * third - 1} missing", "as it was", "valid"], rows)


def rewriting(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Noise to t and back."""
    x0, rows = language.rows("test")[:DRAWS], []
    references = [[language.alphabet.split(text)] for text in language.alphabet.texts(x0)]
    for t in (0.1, 0.3, 0.5, 0.7, 0.9):
        with torch.no_grad():
            x = final(
                rewrite(in_order(model, quota(random)), x0, t, language.length, rng_at("rewrite", 0, 0))
            )
        texts = language.alphabet.texts(x)
        score = bleu([language.alphabet.split(text) for text in texts], references)
        same = (x == x0).all(1).float().mean()
        rows.append([f"{t}", f"{score:.1f}", f"{same:.3f}", f"{language.valid(texts):.3f}"])
    return table(["rewritten from t", "BLEU with the original", "unchanged", "valid"], rows)


def diversity(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Fluency is worth nothing without its entropy."""
    rows = []
    for temperature in (1.0, 0.7, 0.4):
        way = in_order(sharpened(model, temperature), quota(random))
        rows.append(
            [
                f"masked, temperature {temperature}",
                *fluency(sampled(way, language, language.length), twin, language),
            ]
        )
    way = in_order(model, PLANS["confidence"])
    rows.append(
        ["masked, most confident first", *fluency(sampled(way, language, language.length), twin, language)]
    )
    x = written(twin, torch.empty(DRAWS, 0, dtype=torch.long), rng_at("texts", 0, 0))
    rows.append(["twin", *fluency(x, twin, language)])
    rows.append(["training sentences", *fluency(language.rows()[:DRAWS], twin, language)])
    return table(
        ["samples", "generative perplexity", "entropy", "distinct-2", "self-BLEU", "different"], rows
    )


def fluency(x: torch.Tensor, twin: Causal, language: Language) -> list[str]:
    """Cells of one row."""
    perplexity, entropy = generative_perplexity(partial(nll, twin), x)
    texts = language.alphabet.texts(x)
    split = [language.alphabet.split(text) for text in texts]
    return [
        f"{perplexity:.3f}",
        f"{entropy:.3f}",
        f"{distinct(split, 2):.3f}",
        f"{self_bleu(split[:100]):.1f}",
        f"{len(set(texts)) / len(texts):.2f}",
    ]


def revision(model: TokenDenoiser, twin: Causal, language: Language) -> str:
    """Remasking by eta and steps."""
    rows = []
    for eta in (0.0, 0.1, 0.3, 1.0):
        cells = [
            shares(sampled(revising(model, eta), language, k * language.length), language) for k in (1, 4)
        ]
        rows.append([f"{eta}", *cells])
    return table(["eta of remasking", f"{language.length} steps", f"{4 * language.length} steps"], rows)


def learning(name: str, looks: int = 10) -> str:
    """Train both from scratch, and look ten times."""
    language, rows = LANGUAGES[name](), []
    for task in PAIRS[name]:
        trainer, seconds, cores = task.trainer(), 0.0, 0.0
        start, used = time.perf_counter(), time.process_time()
        for record in trainer.fit():
            if record.step % (task.recipe.steps // looks):
                continue
            seconds, cores = seconds + time.perf_counter() - start, cores + time.process_time() - used
            rows.append(
                [
                    task.name,
                    str(record.step),
                    f"{seconds:.0f}",
                    f"{cores:.0f}",
                    *looked(trainer.averaged, language),
                ]
            )
            start, used = time.perf_counter(), time.process_time()
    header = ["model", "steps", "s", "core s", "bound or NLL", "held out", *PLANS, "left to right"]
    return table(header, rows)


def looked(model: TokenDenoiser | Causal, language: Language) -> list[str]:
    """Likelihood on both splits, then validity by order."""
    splits = [language.rows(split)[:500] for split in ("train", "test")]
    if isinstance(model, Causal):
        with torch.no_grad():
            nats = [f"{nll(model, x0).mean():.3f}" for x0 in splits]
        x = written(model, torch.empty(DRAWS, 0, dtype=torch.long), rng_at("texts", 0, 0))
        return [*nats, *[""] * len(PLANS), shares(x, language)]
    nats = [f"{masked_bound(model, x0).mean:.3f}" for x0 in splits]
    ways = [in_order(model, plan) for plan in PLANS.values()]
    return [*nats, *[shares(sampled(way, language, language.length), language) for way in ways], ""]


if __name__ == "__main__":
    main()
