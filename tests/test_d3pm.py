"""Processes made of tables: the same as the closed forms where those exist, exact by Bayes where not."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from diffusion_lab import grids, losses
from diffusion_lab.d3pm import Matrices, discretised_gaussian, from_categorical, step_bound
from diffusion_lab.denoisers import Rule
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import Flow

BETAS = torch.linspace(0.02, 0.5, 7, dtype=torch.float64)
CATEGORICAL = {
    "mask": Categorical.masked(Flow(), 3),
    "uniform": Categorical.uniform(Flow(), 5),
}


@pytest.mark.parametrize("process", CATEGORICAL.values(), ids=CATEGORICAL)
def test_tables_of_a_categorical_process_are_that_process(process, rng):
    tables, v = from_categorical(process, 7), len(process.prior_probs)
    x0, x = torch.randint(3, (2, 11), generator=rng), torch.randint(v, (2, 11), generator=rng)
    p0 = torch.rand(2, 11, v, generator=rng)
    p0 = p0 / p0.sum(-1, keepdim=True)
    for t, s in ((1.0, 6 / 7), (4 / 7, 1 / 7), (2 / 7, 0.0)):
        want = process.reverse_probs(x, p0, t, s)
        torch.testing.assert_close(tables.reverse_probs(x, p0, t, s), want)
        onehot = F.one_hot(x0, v).double()
        torch.testing.assert_close(
            tables.upto[tables.index(t)][x0],
            process.schedule.at(t, onehot).a * onehot
            + (1 - process.schedule.at(t, onehot).a) * process.prior_probs,
        )
    times = torch.tensor([3 / 7, 5 / 7])
    torch.testing.assert_close(
        tables.reverse_probs(x, p0, times, times - 1 / 7), process.reverse_probs(x, p0, times, times - 1 / 7)
    )


def test_rows_of_the_discretised_gaussian_are_laws_and_its_limit_is_uniform():
    process = discretised_gaussian(11, BETAS)
    torch.testing.assert_close(process.steps.sum(-1), torch.ones(7, 11))
    torch.testing.assert_close(process.steps, process.steps.mT)
    torch.testing.assert_close(process.prior_probs @ process.upto[-1], process.prior_probs)
    long = torch.linalg.matrix_power(process.steps[-1], 300)
    torch.testing.assert_close(long, torch.full((11, 11), 1 / 11))


def test_the_discretised_gaussian_prefers_neighbours_as_its_formula_says():
    # Austin et al. 2021, appendix A.2.3, entry by entry.
    v, beta = 5, 0.3
    step = discretised_gaussian(v, torch.tensor([beta])).steps[0]
    weight = lambda n: torch.tensor(-4 * n**2 / ((v - 1) ** 2 * beta)).exp().item()  # noqa: E731
    total = sum(weight(n) for n in range(1 - v, v))
    for i, j in itertools.permutations(range(v), 2):
        assert step[i, j].item() == pytest.approx(weight(i - j) / total)
    assert step[2, 1] > step[2, 0] > step[3, 0]


def test_reverse_probabilities_are_bayes(rng):
    process, t, s = discretised_gaussian(5, BETAS), 5, 2
    into, onto = process.jump(s, t), process.upto[s]
    for x_t, x_0 in itertools.product(range(5), repeat=2):
        want = onto[x_0] * into[:, x_t]
        onehot = F.one_hot(torch.tensor([[x_0]]), 5).double()
        got = process.reverse_probs(torch.tensor([[x_t]]), onehot, t / 7, s / 7)[0, 0]
        torch.testing.assert_close(got, want / want.sum())


def test_draws_follow_the_tables(rng):
    # 20,011 draws of one token: the largest standard error is 0.0036.
    process = discretised_gaussian(5, BETAS)
    x0 = torch.full((20_011, 1), 1)
    x = process.diffuse(x0, 4 / 7, process.noise(x0, rng))
    frequency = torch.bincount(x[:, 0], minlength=5) / len(x)
    assert (frequency - process.upto[4][1]).abs().max() < 4 * 0.0036


def test_ancestral_sampling_reaches_an_ordered_law(rng):
    # One token: p(x_0 | x_t) is exact by Bayes, so all that is left is the prior's error and chance.
    process = discretised_gaussian(5, torch.linspace(0.02, 1.5, 29))
    p = torch.tensor([0.05, 0.4, 0.3, 0.05, 0.2])

    def denoise(x, t, cond):
        joint = p[:, None] * process.upto[process.index(t)]
        return (joint / joint.sum(0)).T[x].log()

    x = process.prior(process.noise(torch.zeros(20_011, 1, dtype=torch.long), rng))
    x = final(ancestral(Rule(process, denoise), x, grids.uniform(29), rng))
    frequency = torch.bincount(x[:, 0], minlength=5) / len(x)
    assert (frequency - p).abs().max() < 4 * 0.0036


def test_the_bound_of_an_exact_denoiser_is_the_entropy_on_one_token(rng):
    # Sum over all steps of the expected KL, by enumeration of x_0 and x_t; the prior's term is the last.
    process = discretised_gaussian(5, torch.linspace(0.1, 1.5, 5))
    p, n = torch.tensor([0.05, 0.4, 0.3, 0.05, 0.2]), 5

    def denoise(x, t, cond):
        joint = p[:, None] * process.upto[process.index(t)][None]
        return (joint / joint.sum(1, keepdim=True))[..., :].mT[torch.zeros_like(x), x].log()

    total = 0.0
    for i in range(1, n + 1):
        upto = process.upto[i]
        for k, j in itertools.product(range(5), repeat=2):
            x0, x = torch.tensor([[k]]), torch.tensor([[j]])
            p0 = denoise(x, i / n, None).exp()
            q = process.reverse_probs(x, F.one_hot(x0, 5).double(), i / n, (i - 1) / n)
            r = process.reverse_probs(x, p0, i / n, (i - 1) / n)
            kl = torch.where(q > 0, q * (q.clamp(min=1e-30) / r.clamp(min=1e-30)).log(), 0.0).sum()
            total += p[k] * upto[k, j] * kl
    marginal = p @ process.upto[-1]
    prior = sum(
        p[k] * (process.upto[-1][k] * (process.upto[-1][k] / process.prior_probs).log()).sum()
        for k in range(5)
    )
    entropy = -(p * p.log()).sum()
    torch.testing.assert_close(
        total + prior - (marginal * (marginal / process.prior_probs).log()).sum(), entropy
    )


def test_the_variational_loss_takes_tables(rng):
    law = torch.rand(9, generator=rng)
    table = TokenTable(law / law.sum(), 2, 3)
    process = Categorical.masked(Flow(), 3)
    tables, x0 = from_categorical(process, 7), table.sequences
    t = torch.randint(1, 8, (9,), generator=rng) / 7
    noise = process.noise(x0, rng)
    want = losses.variational(table.denoiser(process), x0, t, t - 1 / 7, noise)
    got = losses.variational(Rule(tables, table.denoiser(process).fn), x0, t, t - 1 / 7, noise)
    torch.testing.assert_close(got, want)


def test_the_loss_for_training_takes_the_step_that_holds_the_time(rng):
    law = torch.rand(9, generator=rng)
    table = TokenTable(law / law.sum(), 2, 3)
    process = from_categorical(Categorical.uniform(Flow(), 3), 7)
    denoise, x0 = Rule(process, table.denoiser(Categorical.uniform(Flow(), 3)).fn), table.sequences
    noise = process.noise(x0, rng)
    for time, i in ((0.0, 1), (0.01, 1), (1 / 7 + 0.01, 2), (0.999, 7), (1.0, 7)):
        t = torch.full((9,), i / 7)
        want = 7 * losses.variational(denoise, x0, t, t - 1 / 7, noise)
        torch.testing.assert_close(step_bound(denoise, x0, torch.full((9,), time), noise), want)


def test_a_time_between_two_steps_is_refused():
    process = discretised_gaussian(5, BETAS)
    assert isinstance(process, Matrices)
    with pytest.raises(ValueError, match=r"its times are multiples of 1/7, not 0\.5"):
        process.index(0.5)
