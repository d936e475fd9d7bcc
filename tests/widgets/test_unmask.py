"""Masked text in the page against the package: conditionals, plans, and the law that every order leads to."""

from dataclasses import asdict
from itertools import pairwise

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import Flow
from diffusion_lab.text.unmask import certainty, entropy_bounded, in_order, left_to_right, quota
from diffusion_lab.text.unmask import confidence as surest
from diffusion_lab.text.unmask import random as anywhere
from diffusion_lab.widgets.masked import (
    BUDGETS,
    MASK,
    ORDERS,
    PER_CALL,
    Sentences,
    leftmost,
    outcome,
    twelve,
    unmasking_lab,
)
from tests.widgets.node import evaluated

PLANS = {
    "random": quota(anywhere),
    "left to right": quota(left_to_right),
    "confidence": quota(leftmost(surest)),
}


def dense(length, vocab, seed=0):
    """Every text is a sentence, with a weight of its own."""
    p = torch.rand(vocab**length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 3
    rows = torch.cartesian_prod(*[torch.arange(vocab)] * length)
    return Sentences([[str(i) for i in range(vocab)]] * length, rows, p / p.sum())


def sparse():
    """Eleven texts of five places and three words."""
    law, rng = dense(5, 3, seed=1), torch.Generator().manual_seed(2)
    kept = torch.randperm(243, generator=rng)[:11]
    return Sentences(law.words, law.rows[kept], law.weights[kept] / law.weights[kept].sum())


def to_page(law):
    return {key: x.tolist() if isinstance(x, torch.Tensor) else x for key, x in asdict(law).items()}


LAW = "const law = { ...given.law, sentences: given.law.rows };"


def in_the_page(law, asked):
    """The page's outcomes of [order, knob] pairs."""
    return evaluated(
        f"""
        const {{ outcome }} = await import(`${{W}}/orders.mjs`);
        {LAW}
        tell(given.asked.map(([order, knob]) => outcome(law, order, knob)));
        """,
        law=to_page(law),
        asked=asked,
    )


def test_conditionals_are_those_of_the_oracle():
    law, vocab = dense(4, 3), 3
    table = TokenTable(law.weights, 4, vocab)
    x = torch.tensor([[3, 3, 3, 3], [3, 1, 3, 0], [2, 1, 3, 0]])
    want = table.denoiser(Categorical.masked(Flow(), vocab))(x, 0.5).exp()[..., :vocab]
    ours = torch.where(x == vocab, MASK, x)
    torch.testing.assert_close(law.log_conditionals(ours).exp(), want)
    page = evaluated(
        f"const {{ conditionals }} = await import(`${{W}}/orders.mjs`); {LAW}"
        "tell(given.states.map((state) => conditionals(law, state)));",
        law=to_page(law),
        states=[[None if i == MASK else i for i in row] for row in ours.tolist()],
    )
    torch.testing.assert_close(torch.tensor(page), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("law", [twelve(), sparse()], ids=["shipped", "sparse"])
@pytest.mark.parametrize("order", [*PLANS, "entropy bounded"])
def test_the_law_that_comes_out_is_the_one_of_the_packages_plans(law, order):
    if order == "entropy bounded":
        knobs = [0.0, 0.3, 0.9, 1.6]
        want = [outcome(law, entropy_bounded(gamma, leftmost(certainty))) for gamma in knobs]
    else:
        knobs = [1, 2, 3]
        want = [outcome(law, PLANS[order], n, shuffled=order == "random") for n in knobs]
    for got, one in zip(in_the_page(law, [[order, knob] for knob in knobs]), want, strict=True):
        for name in ("valid", "variation", "calls"):
            assert got[name] == pytest.approx(getattr(one, name), abs=1e-9), name
        divergence = float("inf") if got["divergence"] is None else got["divergence"]
        assert divergence == pytest.approx(one.divergence, abs=1e-9)


def test_one_token_a_call_is_exact_in_any_order_that_does_not_look_at_the_draw():
    law = sparse()
    random, left, bounded, drawn = in_the_page(
        law, [["random", 1], ["left to right", 1], ["entropy bounded", 0], ["confidence", 1]]
    )
    for exact in (random, left, bounded):
        assert exact["drawn"] == pytest.approx(law.weights.tolist())
    assert drawn["valid"] == pytest.approx(1.0)
    assert drawn["variation"] > 0.1  # the surest draw comes first, so likely words come too often


def test_all_at_once_costs_the_total_correlation():
    law = sparse()
    marginals = law.log_conditionals(torch.full((1, 5), MASK)).exp()[0]
    want = torch.special.entr(marginals).sum() - torch.special.entr(law.weights).sum()
    for order in ("random", "left to right", "confidence"):
        assert in_the_page(law, [[order, 5]])[0]["divergence"] == pytest.approx(want.item())


def test_divergence_stays_below_the_budgets_of_all_calls():
    for gamma in (0.3, 0.9, 1.6):
        found = outcome(sparse(), entropy_bounded(gamma, leftmost(certainty)))
        assert -1e-9 < found.divergence <= gamma * 5


@pytest.mark.parametrize("order", PLANS)
def test_the_packages_sampler_draws_from_the_law_that_the_page_computes(order, rng):
    law, n = dense(4, 2), 20_011
    process = Categorical.masked(Flow(), 2)
    denoise = in_order(TokenTable(law.weights, 4, 2).denoiser(process), PLANS[order])
    x = final(ancestral(denoise, torch.full((n, 4), 2), grids.uniform(2), rng))
    shares = torch.bincount((x * torch.tensor([8, 4, 2, 1])).sum(1), minlength=16) / n
    want = torch.tensor(in_the_page(law, [[order, 2]])[0]["drawn"])
    assert ((shares - want).abs() <= 4.5 * (want * (1 - want) / n).sqrt() + 1e-9).all()
    assert (want - law.weights).abs().max() > 0.01  # two tokens a call are not the true law


@pytest.mark.parametrize("order", [*PLANS, "entropy bounded"])
def test_a_drawn_call_has_the_probability_that_the_law_counts(order):
    got = evaluated(
        f"""
        const {{ CALLS, conditionals, drawnCall, filled }} = await import(`${{W}}/orders.mjs`);
        {LAW}
        const state = [null, 1, null, null, null];
        const counted = {{}};
        const add = (call, p) => (counted[filled(state, call)] = (counted[filled(state, call)] ?? 0) + p);
        for (let k = 0; k < 5000; k++) add(drawnCall(law, state, given.order, 2, (k + 0.5) / 5000), 1 / 5000);
        const hidden = [0, 2, 3, 4];
        for (const call of CALLS[given.order](conditionals(law, state), hidden, 2)) add(call, -call.p);
        tell(Object.values(counted));
        """,
        law=to_page(sparse()),
        order=order,
    )
    assert len(got) > 3
    assert max(map(abs, got)) < 0.02


def test_a_text_runs_from_masks_to_words_and_never_changes_what_shows():
    texts = evaluated(
        f"""
        const {{ written }} = await import(`${{W}}/orders.mjs`);
        const {{ uniforms }} = await import(`${{W}}/random.mjs`);
        {LAW}
        const random = uniforms(3);
        tell(given.orders.map((order) => written(law, order, 2, random)));
        """,
        law=to_page(sparse()),
        orders=[*PLANS, "entropy bounded"],
    )
    for states in texts:
        assert states[0] == [None] * 5
        assert None not in states[-1]
        for before, after in pairwise(states):
            assert all(old in (None, new) for old, new in zip(before, after, strict=True))
            assert before != after


def test_the_part_carries_the_packages_numbers():
    part, law = unmasking_lab(), twelve()
    assert law.weights.sum().item() == pytest.approx(1.0)
    for order, points in part.data["curves"].items():
        want = [[one.calls, one.valid] for one in ORDERS[order](law)]
        torch.testing.assert_close(torch.tensor(points), torch.tensor(want), rtol=0, atol=1e-6)
        knobs = BUDGETS if order == "entropy bounded" else PER_CALL
        assert [one["valid"] for one in in_the_page(law, [[order, k] for k in knobs])] == pytest.approx(
            [valid for _, valid in points], abs=1e-6
        )
    assert "In random order: 1 a call 100%, 2 a call 73%" in part.alt


def test_what_the_chapter_says_about_the_twelve_sentences():
    law = twelve()
    two = {name: outcome(law, plan, 2, shuffled=name == "random").valid for name, plan in PLANS.items()}
    assert min(two, key=two.get) == "left to right"
    surest_draw = outcome(law, PLANS["confidence"], 1)
    assert surest_draw.valid == pytest.approx(1.0)
    assert surest_draw.variation == pytest.approx(0.55, abs=5e-3)
    budgets = [outcome(law, entropy_bounded(gamma, leftmost(certainty))) for gamma in (0.7, 1.1, 1.4)]
    assert [one.calls for one in budgets] == pytest.approx([3, 2, 2])
    assert [one.valid for one in budgets] == pytest.approx([1, 0.38, 1])
