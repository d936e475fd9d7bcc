"""Orders, second thoughts, gaps, rewriting and guidance, against laws that are known exactly."""

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.denoisers import Rule
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical, Process
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import Cosine, Flow
from diffusion_lab.text import (
    ORDERS,
    blank,
    cfg,
    entropy_bounded,
    held,
    in_order,
    infill,
    quota,
    revising,
    rewrite,
    sharpened,
    until_shown,
)
from diffusion_lab.text.logits import extrapolated
from diffusion_lab.text.remask import Remasking
from diffusion_lab.text.unmask import certainty, confidence, entropy, margin

MASK = 3
DRAWS = 10_007
ERROR = 4 * 0.5 / DRAWS**0.5
"""Four of the largest standard errors of a frequency."""


@pytest.fixture
def table(rng):
    p = torch.rand(27, generator=rng) ** 2
    return TokenTable(p / p.sum(), 3, 3)


@pytest.fixture
def denoise(table):
    return table.denoiser(Categorical.masked(Flow(), 3))


def frequencies(x):
    return torch.bincount((x * torch.tensor([9, 3, 1])).sum(1), minlength=27) / len(x)


# Confidence looks at what was drawn, which is a bias: it has the next test to itself.
@pytest.mark.parametrize("order", sorted({*ORDERS} - {"confidence"}))
def test_one_token_at_a_time_samples_the_law_in_any_order_that_does_not_look(order, table, denoise, rng):
    order = ORDERS[order]
    x = final(
        ancestral(in_order(denoise, quota(order)), blank(denoise.process, DRAWS, 3), grids.uniform(3), rng)
    )
    assert (frequencies(x) - table.probs).abs().max() < ERROR


def test_confidence_in_the_drawn_token_favours_likely_texts(table, denoise, rng):
    x = final(
        ancestral(
            in_order(denoise, quota(confidence)), blank(denoise.process, DRAWS, 3), grids.uniform(3), rng
        )
    )
    excess = (frequencies(x) - table.probs) @ table.probs
    assert excess > 0
    assert (frequencies(x) - table.probs).abs().max() > ERROR


@pytest.mark.parametrize("schedule", [Flow(), Cosine(offset=0.0)], ids=["line", "cosine"])
def test_a_quota_reveals_what_the_schedule_says(schedule, rng):
    process = Categorical.masked(schedule, 3)
    law = torch.rand(3**5, generator=rng)
    denoise = TokenTable(law / law.sum(), 5, 3).denoiser(process)
    steps = ancestral(
        in_order(denoise, quota(ORDERS["random"])), blank(process, 11, 5), grids.uniform(7), rng
    )
    for step in steps:
        shown = float(schedule.at(step.t, torch.empty(0)).a)
        hidden = (step.x == MASK).sum(1)
        assert (hidden == hidden[0]).all()
        assert abs(hidden[0] - 5 * (1 - shown)) <= 1
    assert hidden[0] == 0


def test_one_step_draws_the_product_of_marginals_whatever_the_order(table, denoise, rng):
    x = final(
        ancestral(
            in_order(denoise, quota(ORDERS["margin"])),
            blank(denoise.process, DRAWS, 3),
            grids.uniform(1),
            rng,
        )
    )
    marginals = denoise(blank(denoise.process, 1, 3), 1.0)[0].exp()[:, :3]
    product = torch.stack([marginals[i, table.sequences[:, i]] for i in range(3)]).prod(0)
    assert (frequencies(x) - product).abs().max() < ERROR
    assert (product - table.probs).abs().max() > ERROR


def test_left_to_right_reads_left_to_right(denoise, rng):
    steps = ancestral(
        in_order(denoise, quota(ORDERS["left to right"])), blank(denoise.process, 5, 3), grids.uniform(3), rng
    )
    for i, step in enumerate(steps):
        assert (step.x[:, :i] != MASK).all()
        assert (step.x[:, i:] == MASK).all()


def test_ranks_measure_what_they_are_named_for():
    log_p = torch.tensor([[[0.5, 0.5, 0.0], [0.7, 0.2, 0.1]]]).log()
    drawn, r = torch.tensor([[0, 2]]), torch.rand(1, 2)
    torch.testing.assert_close(margin(log_p, drawn, r), torch.tensor([[0.0, 0.5]]))
    torch.testing.assert_close(confidence(log_p, drawn, r).exp(), torch.tensor([[0.5, 0.1]]))
    assert -certainty(log_p, drawn, r)[0, 0] == pytest.approx(torch.tensor(2.0).log().item())


def test_an_entropy_bound_of_zero_is_one_at_a_time_and_a_large_one_all_at_once(table, denoise, rng):
    def run(gamma, n):
        start = blank(denoise.process, n, 3)
        steps = ancestral(in_order(denoise, entropy_bounded(gamma)), start, grids.uniform(3), rng)
        return list(until_shown(steps, MASK))

    slow, fast = run(0.0, DRAWS), run(10.0, 7)
    assert [(step.x == MASK).sum(1).max().item() for step in slow] == [3, 2, 1, 0]
    assert len(fast) == 2
    assert (frequencies(slow[-1].x) - table.probs).abs().max() < ERROR


def test_an_entropy_bound_takes_as_many_as_it_allows():
    # Entropies ln 2, ln 2, ln 3 and 0: the certain one, then both of ln 2 once gamma reaches ln 2.
    p = torch.zeros(1, 4, 3)
    p[0, 0, :2] = p[0, 1, :2] = 0.5
    p[0, 2], p[0, 3, 0] = 1 / 3, 1.0
    log_p, drawn, r = p.log(), torch.zeros(1, 4, dtype=torch.long), torch.rand(1, 4)
    hidden = torch.ones(1, 4, dtype=torch.bool)
    ln2, ln3 = entropy(log_p)[0, 0].item(), entropy(log_p)[0, 2].item()
    for gamma, n in ((0.0, 2), (ln2 - 0.01, 2), (ln2, 3), (2 * ln2 - 0.01, 3), (2 * ln2, 4)):
        assert entropy_bounded(gamma)(log_p, drawn, hidden, r, 0.5).sum() == n, gamma
    assert ln3 > ln2
    hidden[0, 3] = False
    assert entropy_bounded(0.0)(log_p, drawn, hidden, r, 0.5).tolist() == [[True, False, False, False]]
    assert entropy_bounded(0.0)(log_p, drawn, hidden, r, 0.0).sum() == 3
    with pytest.raises(ValueError, match=r"gamma = -1.0: an entropy bound is at least 0"):
        entropy_bounded(-1.0)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 1.5])
def test_what_an_entropy_bound_allows_costs_at_most_gamma(gamma, table, denoise):
    log_p = denoise(torch.full((1, 3), MASK), 1.0)
    hidden, r = torch.ones(1, 3, dtype=torch.bool), torch.rand(1, 3)
    chosen = entropy_bounded(gamma)(log_p, torch.zeros(1, 3, dtype=torch.long), hidden, r, 0.5)[0]
    others = [i for i in range(3) if not chosen[i]]
    joint = table.probs.reshape(3, 3, 3).sum(others) if others else table.probs
    total_correlation = entropy(log_p)[0][chosen].sum() - torch.special.entr(joint).sum()
    assert total_correlation <= gamma + 1e-9
    assert chosen.sum() >= 1


def test_an_ordered_process_keeps_the_contract(denoise, rng):
    ordered = in_order(denoise, quota(ORDERS["random"])).process
    assert isinstance(ordered, Process)
    x0 = torch.randint(3, (5, 3), generator=rng)
    noise = ordered.noise(x0, rng)
    assert torch.equal(ordered.diffuse(x0, 0.5, noise), denoise.process.diffuse(x0, 0.5, noise.token))
    with pytest.raises(ValueError, match="this process has no mask"):
        in_order(Rule(Categorical.uniform(Flow(), 3), lambda x, t, c: x), quota(ORDERS["random"]))


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("schedule", [Flow(), Cosine(offset=0.0)], ids=["line", "cosine"])
def test_remasking_keeps_the_marginals(eta, schedule):
    process = Remasking(schedule, Categorical.masked(schedule, 3).prior_probs, eta)
    p0 = torch.eye(4)[1].expand(2, 1, 4)
    for t, s in ((1.0, 0.8), (0.7, 0.4), (0.3, 0.0)):
        a_t, a_s = (float(schedule.at(u, p0).a) for u in (t, s))
        shown, hidden = process.reverse_probs(torch.tensor([[1], [3]]), p0, t, s)[:, 0]
        got = a_t * shown + (1 - a_t) * hidden
        torch.testing.assert_close(got, torch.tensor([0.0, a_s, 0.0, 1 - a_s]))
        assert (shown >= 0).all()
        assert (hidden >= 0).all()


def test_no_remasking_is_mdlm(denoise, rng):
    plain, process = denoise.process, revising(denoise, 0.0).process
    x = torch.randint(4, (7, 3), generator=rng)
    p0 = denoise(x, 0.5).exp()
    torch.testing.assert_close(process.reverse_probs(x, p0, 0.5, 0.3), plain.reverse_probs(x, p0, 0.5, 0.3))


def test_remasking_revises_and_ends_in_the_law(table, denoise, rng):
    start, hidden = blank(denoise.process, DRAWS, 3), []
    before, revised = start, 0
    for step in ancestral(revising(denoise, 0.5), start, grids.uniform(60), rng):
        revised += ((before != MASK) & (step.x == MASK)).sum().item()
        before = step.x
        hidden.append((step.x == MASK).float().mean().item())
    assert revised > DRAWS
    assert hidden[-1] == 0
    assert (frequencies(step.x) - table.probs).abs().max() < ERROR + 0.005  # 60 steps are not infinitely many
    with pytest.raises(ValueError, match=r"eta = 1.5"):
        revising(denoise, 1.5)


@pytest.mark.parametrize("make", [Categorical.masked, Categorical.uniform], ids=["mask", "uniform"])
def test_infilling_samples_the_conditional_law(make, table, rng):
    process = make(Flow(), 3)
    denoise = table.denoiser(process)
    x0 = torch.tensor([[1, 0, 2]]).expand(DRAWS, 3)
    known = torch.tensor([[True, False, True]]).expand(DRAWS, 3)

    law = table.probs.reshape(3, 3, 3)[1, :, 2]
    middle = TokenTable(law / law.sum(), 1, 3).denoiser(process)

    def clean(x, t, cond):
        # What a network says that was trained to read known places as clean.
        return middle(x[:, 1:2], t).expand(-1, 3, -1)

    use = denoise if process.mask is not None else Rule(process, clean)
    x = final(infill(use, x0, known, steps=40, rng=rng))
    assert torch.equal(x[:, [0, 2]], x0[:, [0, 2]])
    frequency = torch.bincount(x[:, 1], minlength=3) / DRAWS
    assert (frequency - law / law.sum()).abs().max() < ERROR


def test_known_tokens_are_certain_and_may_be_ordered_or_revised(denoise, rng):
    x0 = torch.tensor([[1, 0, 2]]).expand(7, 3)
    known = torch.tensor([[True, False, False]]).expand(7, 3)
    log_p = held(denoise, x0, known)(torch.full((7, 3), MASK), 0.5)
    assert (log_p[:, 0].exp() == torch.eye(4)[1]).all()
    for way in (in_order(denoise, quota(ORDERS["certainty"])), revising(denoise, 1.0)):
        x = final(infill(way, x0, known, steps=9, rng=rng))
        assert (x[:, 0] == 1).all()
        assert (x != MASK).all()
    with pytest.raises(ValueError, match=r"known has shape \(7, 2\) for text of shape \(7, 3\)"):
        infill(denoise, x0, known[:, :2], 3)


def test_rewriting_runs_from_a_copy_to_a_fresh_text(table, denoise, rng):
    k = torch.multinomial(table.probs, DRAWS, True, generator=rng)
    x0 = table.sequences[k]
    kept = {}
    for t in (0.1, 0.5, 1.0):
        x = final(rewrite(denoise, x0, t, steps=20, rng=rng))
        assert (frequencies(x) - table.probs).abs().max() < ERROR + 0.01  # 20 steps are not infinitely many
        kept[t] = (x == x0).all(1).double().mean().item()
    assert kept[0.1] > 0.7
    assert kept[0.1] > kept[0.5] > kept[1.0]
    assert abs(kept[1.0] - table.probs.square().sum()) < 0.03


def test_guidance_on_logits_is_a_power_of_the_posterior(rng):
    # p(x | c) and p(x): w = 2 gives p(x | c)^2 / p(x), normalised; w = 1 and 0 give the two themselves.
    joint = torch.rand(2, 5, generator=rng)
    joint = joint / joint.sum()
    given_c, any_ = (joint[1] / joint[1].sum()).log(), joint.sum(0).log()

    def fn(x, t, cond):
        return (given_c if cond == 1 else any_).expand(*x.shape, 5)

    denoise, x = Rule(Categorical.uniform(Flow(), 5), fn), torch.zeros(1, 3, dtype=torch.long)
    guided = cfg(denoise, 1, None, 2.0)(x, 0.5)[0, 0].exp()
    want = (2 * given_c - any_).exp()
    torch.testing.assert_close(guided, want / want.sum())
    torch.testing.assert_close(cfg(denoise, 1, None, 1.0)(x, 0.5)[0, 0], given_c)
    torch.testing.assert_close(cfg(denoise, 1, None, 0.0)(x, 0.5)[0, 0], any_)


def test_guidance_never_revives_what_either_side_excludes():
    weak = torch.tensor([[[0.5, 0.5, 0.0, 0.0]]]).log()
    good = torch.tensor([[[0.0, 0.4, 0.6, 0.0]]]).log()
    assert extrapolated(weak, good, 3.0).exp().tolist() == [[[0, 1, 0, 0]]]


def test_temperature_sharpens_and_flattens(denoise):
    x = torch.full((1, 3), MASK)
    spread = [entropy(sharpened(denoise, c)(x, 0.5)).sum() for c in (0.1, 0.5, 1.0, 3.0)]
    assert spread == sorted(spread)
    torch.testing.assert_close(sharpened(denoise, 1.0)(x, 0.5), denoise(x, 0.5))
    with pytest.raises(ValueError, match=r"temperature = 0.0"):
        sharpened(denoise, 0.0)
