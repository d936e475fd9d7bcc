"""Text that is there already: gaps filled with both sides known, and sentences noised and written again.

python -m benchmarks.text_editing                     # shipped weights
"""

import torch

from diffusion_lab.metrics.text import bleu
from diffusion_lab.samplers import final
from diffusion_lab.seeds import rng_at
from diffusion_lab.text import in_order, infill, quota, rewrite
from diffusion_lab.text.scores import infilled
from diffusion_lab.text.unmask import certainty, random

from .machine import table
from .parts import Parts, print_parts
from .text import DRAWS, dates


def gaps() -> str:
    """Held-out sentences whose middle third is missing: exact and valid fillings."""
    model, twin, language = dates()
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


def rewriting() -> str:
    """Noise to t and back."""
    model, _, language = dates()
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


PARTS: Parts = {"gaps": gaps, "rewriting": rewriting}

if __name__ == "__main__":
    print_parts(PARTS, list(PARTS), __doc__)
