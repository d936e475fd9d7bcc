"""Ratios, posteriors and transition matrices are three spellings of one model."""

import itertools

import numpy as np
import pytest
import torch

from diffusion_lab import grids, losses
from diffusion_lab.models.text import TextNet
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical, TokenNoise
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import Cosine, Flow
from diffusion_lab.text import RatioDenoiser, blank, log_posterior, log_ratios, score_entropy, sedd

PROCESSES = {
    "mask": lambda: Categorical.masked(Flow(), 3),
    "mask, cosine": lambda: Categorical.masked(Cosine(offset=0.0), 3),
    "uniform": lambda: Categorical.uniform(Flow(), 3),
    "uniform, cosine": lambda: Categorical.uniform(Cosine(offset=0.0), 3),
}


@pytest.fixture(params=PROCESSES)
def process(request):
    return PROCESSES[request.param]()


@pytest.fixture
def table(rng):
    p = torch.rand(9, generator=rng) ** 2
    return TokenTable(p / p.sum(), 2, 3)


def states(process):
    """Every x_t of two tokens."""
    v = len(process.prior_probs)
    return torch.tensor(list(itertools.product(range(v), repeat=2)))


def q(process, x, x0, t):
    """q(x_t | x_0) of whole texts."""
    a, pi = float(process.schedule.at(t, x.double()).a), process.prior_probs
    return (a * (x == x0) + (1 - a) * pi[x]).prod(-1)


def test_ratios_of_the_oracle_are_ratios_of_the_marginal(process, table):
    t, v = 0.6, len(process.prior_probs)
    x = states(process)
    law = (table.probs * q(process, x[:, None], table.sequences, t)).sum(1)
    got = log_ratios(process, table.denoiser(process)(x, t), x, t).exp()
    for i, (first, second) in enumerate(x.tolist()):
        if law[i] == 0:
            continue
        changed = law.reshape(v, v)[:, second], law.reshape(v, v)[first]
        for place, token in enumerate((first, second)):
            if process.mask in (None, token):  # at a token that shows, ratios to the mask are not read
                torch.testing.assert_close(got[i, place], changed[place] / law[i])


def test_posterior_and_ratios_are_each_others_inverse(process, table, rng):
    x0 = table.sequences
    t = torch.rand(9, generator=rng) * 0.8 + 0.1
    x = process.diffuse(x0, t, process.noise(x0, rng))
    log_p0 = table.denoiser(process)(x, t)
    again = log_posterior(process, log_ratios(process, log_p0, x, t), x, t)
    torch.testing.assert_close(again.exp(), log_p0.exp())


def test_the_score_entropy_of_the_oracle_integrates_to_the_entropy(process, table):
    # In the mean over x_0, x_t (by enumeration) and t = u^3 (Gauss-Legendre in u: log t is steep at 0).
    denoise, total = table.denoiser(process), 0.0
    x, x0 = (z.flatten(0, 1) for z in torch.broadcast_tensors(states(process)[:, None], table.sequences))
    times, weights = np.polynomial.legendre.leggauss(60)
    for u, w in zip((times + 1) / 2, weights / 2):
        t, w = u**3, w * 3 * u**2
        at = torch.full((len(x),), t)
        log_s = log_ratios(process, denoise(x, at), x, at)
        joint = table.probs.repeat(len(states(process))) * q(process, x, x0, float(t))
        loss = score_entropy(process, log_s, x, x0, at)
        total += w * torch.where(joint > 0, joint * loss, 0.0).sum()
    torch.testing.assert_close(total, -(table.probs * table.probs.log()).sum(), rtol=1e-6, atol=1e-6)


def test_for_a_mask_the_score_entropy_is_the_masked_bound_term_by_term(table, rng):
    process = PROCESSES["mask, cosine"]()
    denoise, x0 = table.denoiser(process), table.sequences
    t = torch.rand(9, generator=rng) * 0.9 + 0.05
    noise = process.noise(x0, rng)
    x = process.diffuse(x0, t, noise)
    log_s = log_ratios(process, denoise(x, t), x, t)
    got = score_entropy(process, log_s, x, x0, t)
    torch.testing.assert_close(got, losses.masked(denoise, x0, t, noise), rtol=1e-9, atol=1e-9)


def test_score_entropy_is_least_at_the_truth(process, table, rng):
    # Over all pairs (x_0, x_t) with their probabilities: any other ratios cost more.
    x, x0 = (z.flatten(0, 1) for z in torch.broadcast_tensors(states(process)[:, None], table.sequences))
    joint = table.probs.repeat(len(states(process))) * q(process, x, x0, 0.5)
    t = torch.full((len(x),), 0.5)
    best = log_ratios(process, table.denoiser(process)(x, t), x, t)

    def loss(log_s):
        return torch.where(joint > 0, joint * score_entropy(process, log_s, x, x0, t), 0.0).sum()

    for scale in (0.1, -0.1):
        assert loss(best + scale * torch.randn(best.shape[-1], generator=rng)) > loss(best)


@pytest.mark.parametrize("name", ["mask", "uniform"])
def test_the_discrete_steps_of_d3pm_become_the_score_entropy(name, table, rng):
    process, n, x0 = PROCESSES[name](), 20_000, table.sequences
    denoise = table.denoiser(process)
    t = torch.rand(9, generator=rng) * 0.8 + 0.1
    noise = process.noise(x0, rng)
    x = process.diffuse(x0, t, noise)
    continuous = score_entropy(process, log_ratios(process, denoise(x, t), x, t), x, x0, t)
    discrete = n * losses.variational(denoise, x0, t, t - 1 / n, noise)
    torch.testing.assert_close(discrete, continuous, rtol=1e-3, atol=1e-3)


def test_an_untrained_network_of_ratios_is_the_law_of_equal_texts(process, rng):
    v = len(process.prior_probs)
    denoiser = RatioDenoiser(TextNet(v, 2, width=12, depth=1, heads=2), process)
    denoiser.net.out.bias.data.zero_()  # its weights are 0 already
    x = process.diffuse(
        torch.tensor([[0, 2]] * 5), 0.5, process.noise(torch.zeros(5, 2, dtype=torch.long), rng)
    )
    p0 = denoiser(x, 0.5).exp()
    torch.testing.assert_close(p0.sum(-1), torch.ones(5, 2))
    a, pi = float(process.schedule.at(0.5, p0).a), process.prior_probs
    law = torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0])[:v]
    joint = law[:, None] * (a * torch.eye(v) + (1 - a) * pi)
    torch.testing.assert_close(p0, (joint / joint.sum(0)).T[x])


class Saying(RatioDenoiser):
    """Outputs that do not depend on the text."""

    def __init__(self, y, process):
        super().__init__(lambda x, t, cond: y.expand(*x.shape, -1), process)


@pytest.mark.parametrize("t", [1e-3, 0.4, 0.9, 0.999, 1.0])
def test_an_output_of_one_more_than_the_others_is_certainty(t):
    process = PROCESSES["uniform"]()
    x = torch.tensor([[0, 1, 2]])
    p0 = Saying(torch.tensor([0.0, 1.0, 0.0]), process)(x, t).exp()
    torch.testing.assert_close(p0[0], torch.tensor([0.0, 1.0, 0.0]).expand(3, 3), rtol=0, atol=1e-9)


def test_large_outputs_at_tokens_that_show_cost_nothing(rng):
    # 50 times an unbounded unit would be inf, and inf times the rate 0 is nan.
    process = PROCESSES["mask"]()
    x0, t = torch.tensor([[0, 1, 2]] * 7), torch.linspace(0.1, 0.9, 7)
    loss = sedd(Saying(torch.tensor([50.0, 0.0, -50.0, 1.0]), process), x0, t, process.noise(x0, rng))
    shown = sedd(Saying(torch.randn(4, generator=rng), process), x0, t, TokenNoise(torch.zeros(7, 3), x0))
    assert loss.isfinite().all()
    assert (shown == 0).all()


def test_one_more_than_the_mask_is_the_ratio_of_a_certain_token():
    process, x, t = PROCESSES["mask"](), torch.tensor([[3, 3]]), 0.4
    s = Saying(torch.tensor([0.0, 1.0, 0.0, 0.0]), process).log_ratios(x, t).exp()
    torch.testing.assert_close(s[0, 0], torch.tensor([0.6 / 0.4 / 3, 0.6 / 0.4, 0.6 / 0.4 / 3, 1.0]))


def test_pure_noise_has_a_posterior(process, rng):
    # At t = 1 all ratios are the prior's: nothing may be divided by a_1 = 0.
    v = len(process.prior_probs)
    x = process.prior(process.noise(torch.zeros(5, 7, dtype=torch.long), rng))
    p0 = Saying(torch.randn(v, generator=rng), process)(x, 1.0).exp()
    torch.testing.assert_close(p0.sum(-1), torch.ones(5, 7))
    with pytest.raises(ValueError, match="say nothing"):
        log_posterior(process, torch.zeros(5, 7, v), x, 1.0)


@pytest.mark.parametrize("name", ["mask", "uniform"])
def test_exact_ratios_sample_the_law(name, table, rng):
    # 20,011 draws: four of the largest standard errors are 0.014; the rest is for 60 steps, from t = 1.
    process = PROCESSES[name]()

    class Exact(RatioDenoiser):
        def log_ratios(self, x, t, cond=None):
            return log_ratios(process, table.denoiser(process)(x, t), x, t)

    model = Exact(lambda x, t, cond: x, process)
    x = final(ancestral(model, blank(process, 20_011, 2, rng), grids.uniform(60), rng))
    frequency = torch.bincount(3 * x[:, 0] + x[:, 1], minlength=9) / len(x)
    assert (frequency - table.probs).abs().max() < 0.02
