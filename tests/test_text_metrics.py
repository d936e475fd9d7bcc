"""Metrics of text: parity with sacrebleu, closed forms, and refusals on too few samples."""

import math

import pytest
import sacrebleu
import torch

from diffusion_lab.grids import stratified_law
from diffusion_lab.losses import masked
from diffusion_lab.metrics.text import (
    bleu,
    bound,
    distinct,
    generative_perplexity,
    self_bleu,
    unigram_entropy,
)
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical
from diffusion_lab.schedules import Flow


def words(texts):
    return [text.split() for text in texts]


TEXTS = words(
    [
        "the cat sat on the mat by the door",
        "a small dog ran over the green hill today",
        "the the the the",
        "one two three four five six",
    ]
)
REFERENCES = [
    words(refs)
    for refs in [
        ["the cat sat on a mat near the door", "a cat was on the mat by the old door"],
        ["a little dog ran across the green hill", "today a small dog ran over a hill"],
        ["the cat is here", "the end"],
        ["six five four three two one", "one two three"],
    ]
]


def theirs(texts, references):
    streams = [[" ".join(refs[k]) for refs in references] for k in range(len(references[0]))]
    return sacrebleu.corpus_bleu([" ".join(t) for t in texts], streams, tokenize="none").score


@pytest.mark.parametrize("rows", [[0], [1], [2], [3], [0, 1], [0, 1, 2, 3]])
def test_bleu_is_sacrebleu(rows):
    texts, references = [TEXTS[i] for i in rows], [REFERENCES[i] for i in rows]
    assert bleu(texts, references) == pytest.approx(theirs(texts, references), abs=1e-4)
    one = [refs[:1] for refs in references]
    assert bleu(texts, one) == pytest.approx(theirs(texts, one), abs=1e-4)


def test_bleu_at_its_ends():
    assert bleu(TEXTS[:2], [[t] for t in TEXTS[:2]]) == pytest.approx(100)
    assert bleu([["x", "y", "z", "w"]], [[["a", "b", "c", "d"]]]) == 0
    assert bleu([["a", "b"]], [[["a", "b"]]]) == theirs([["a", "b"]], [[["a", "b"]]]) == 0
    with pytest.raises(ValueError, match="1 texts and 0 lists of references"):
        bleu([["a"]], [])


def test_self_bleu_is_the_mean_against_the_others():
    others = [TEXTS[:i] + TEXTS[i + 1 :] for i in range(4)]
    want = sum(theirs([t], [rest]) for t, rest in zip(TEXTS, others)) / 4
    assert self_bleu(TEXTS) == pytest.approx(want, abs=1e-4)
    assert self_bleu([TEXTS[0]] * 3) == pytest.approx(100)
    with pytest.raises(ValueError, match="needs at least 2"):
        self_bleu(TEXTS[:1])


def test_distinct_counts_by_hand():
    assert distinct([["a", "b", "a"], ["b", "a"]], 1) == pytest.approx(2 / 5)
    assert distinct([["a", "b", "a"], ["b", "a"]], 2) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="needs at least 2"):
        distinct([["a"]], 1)
    with pytest.raises(ValueError, match="no text has 4 tokens"):
        distinct([["a"], ["b"]], 4)


def test_entropy_and_perplexity_in_closed_form():
    assert unigram_entropy("aabb") == pytest.approx(math.log(2))
    assert unigram_entropy("aaaa") == 0
    x = torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0]])
    fluency = generative_perplexity(lambda x: torch.full((len(x),), 4 * math.log(5)), x)
    assert fluency.perplexity == pytest.approx(5)
    assert fluency.entropy == pytest.approx(math.log(4) / 2)


def test_the_bound_of_an_exact_denoiser_is_the_entropy_within_its_error(rng):
    p = torch.rand(27, generator=rng)
    table = TokenTable(p / p.sum(), 3, 3)
    process, law = Categorical.masked(Flow(), 3), stratified_law(1e-6)
    denoise = table.denoiser(process)

    def objective(x0, cond, rng):
        return masked(denoise, x0, law(len(x0), rng), process.noise(x0, rng))

    x0 = table.sequences[torch.multinomial(table.probs, 4001, True, generator=rng)]
    exact = -table.probs.log()[(x0 * torch.tensor([9, 3, 1])).sum(1)].mean()
    got = bound(objective, x0, rng)
    assert abs(got.mean - exact) < 4 * got.error
    assert got.error < 0.05
    with pytest.raises(ValueError, match="a standard error needs at least 2"):
        bound(objective, x0, rng, rounds=1)
