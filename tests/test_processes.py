"""Processes: the closed form is the iterated chain, the posterior DDPM's, token posteriors keep marginals."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from diffusion_lab import grids
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical, Gaussian, Process
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import Cosine, Flow, Table
from diffusion_lab.targets import TARGETS, Prediction

from .laws import SCHEDULES


def test_the_closed_form_is_the_iterated_chain():
    # Mean and variance of x_t, pushed through q(x_t | x_{t-1}) one step at a time (DDPM eq. 2 against eq. 4).
    table, mean, variance = Table.linear(), 1.0, 0.0
    for beta in table.beta.tolist():
        mean, variance = (1 - beta) ** 0.5 * mean, (1 - beta) * variance + beta
    c = table.at(1.0, torch.empty(0))
    assert mean == pytest.approx(c.a, rel=1e-10)
    assert variance == pytest.approx(c.sigma**2, rel=1e-10)


def test_posterior_in_the_papers_letters(rng):
    # mu-tilde and beta-tilde of DDPM eq. 7, and mu in eps, eq. 11.
    table = Table.linear(97)
    process, i = Gaussian(table), 41
    t, s = i / 97, (i - 1) / 97
    beta, alpha_bar = table.beta[i - 1], table.alpha_bar
    alpha = 1 - beta
    x0, eps = torch.randn(2, 5, 3, generator=rng)
    x = process.diffuse(x0, t, eps)
    pred = Prediction(table.at(t, x), x, eps, TARGETS["eps"])
    got = process.reverse(x, pred, t, s, torch.zeros_like(x))
    direct = (
        alpha_bar[i - 1].sqrt() * beta / (1 - alpha_bar[i]) * x0
        + alpha.sqrt() * (1 - alpha_bar[i - 1]) / (1 - alpha_bar[i]) * x
    )
    in_eps = (x - beta / (1 - alpha_bar[i]).sqrt() * eps) / alpha.sqrt()
    torch.testing.assert_close(got, direct)
    torch.testing.assert_close(got, in_eps)
    small = (1 - alpha_bar[i - 1]) / (1 - alpha_bar[i]) * beta
    assert table.at(s, x).sigma * process.fresh(t, s, x) == pytest.approx(small.sqrt().item())
    assert process.added(t, s, x) == pytest.approx(beta.sqrt().item())


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0, 30.0])
def test_every_eta_keeps_the_marginal(schedule, eta, rng):
    # With the true x_0 the reverse step must give q(x_s | x_0): check mean and variance as linear maps.
    process, t, s = Gaussian(schedule), 0.7, 0.3
    ct, cs = (schedule.at(u, torch.empty(0)) for u in (t, s))
    x0, eps = torch.randn(2, 5, 3, generator=rng)
    x = process.diffuse(x0, t, eps)
    pred = Prediction(schedule.at(t, x), x, x0, TARGETS["x0"])
    still = process.reverse(x, pred, t, s, torch.zeros_like(x), eta=eta)
    kept = (still - cs.a * x0) / eps
    drawn = process.reverse(x, pred, t, s, torch.ones_like(x), eta=eta) - still
    torch.testing.assert_close(kept**2 + drawn**2, torch.full((5, 3), cs.sigma**2))
    assert ct.sigma > 0


def test_learned_variance_lies_between_both(rng):
    process, t, s = Gaussian(Table.linear()), 0.5, 0.4
    x = torch.randn(3, 2, generator=rng)
    pred = Prediction(process.schedule.at(t, x), x, x, TARGETS["eps"])

    def std(large):
        pred.large = large
        zero, one = (process.reverse(x, pred, t, s, torch.full_like(x, z)) for z in (0.0, 1.0))
        return one - zero

    small, large = std(0.0), std(1.0)
    torch.testing.assert_close(std(torch.full_like(x, 0.25)), small**0.75 * large**0.25)
    assert (large > small).all()
    assert large[0, 0] == pytest.approx(process.added(t, s, x))


def test_processes_share_one_protocol():
    assert isinstance(Gaussian(Flow()), Process)
    assert isinstance(Categorical.masked(Flow(), 3), Process)


TOKENS = {
    "mask": lambda v: Categorical.masked(Flow(), v),
    "mask, cosine": lambda v: Categorical.masked(Cosine(), v),
    "uniform": lambda v: Categorical.uniform(Flow(), v),
}
each_token_process = pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)


@each_token_process
def test_token_posterior_keeps_the_marginal(make, rng):
    v, t, s = 5, 0.7, 0.4
    process = make(v)
    n = len(process.prior_probs)
    p = torch.rand(v, generator=rng)
    p /= p.sum()
    x = torch.arange(n)[:, None]
    p0 = TokenTable(p, 1, v).denoiser(process)(x, t).exp()
    reverse = process.reverse_probs(x, p0, t, s)[:, 0]

    def marginal(t):
        a = process.schedule.at(t, p).a
        return a * F.pad(p, (0, n - v)) + (1 - a) * process.prior_probs

    torch.testing.assert_close(reverse.sum(-1), torch.ones(n))
    torch.testing.assert_close(marginal(t) @ reverse, marginal(s))


@each_token_process
def test_token_posterior_equals_the_matrix_form(make):
    # q(x_s | x_t, x_0) by Bayes with explicit matrices (D3PM eq. 3), for every x_t and x_0.
    v, t, s = 3, 0.8, 0.3
    process = make(v)
    n = len(process.prior_probs)

    def kernel(a):
        return a * torch.eye(n) + (1 - a) * process.prior_probs.expand(n, n)

    a_t, a_s = (process.schedule.at(u, torch.empty(0)).a for u in (t, s))
    jump, upto = kernel(a_t / a_s), kernel(a_s)
    for x_t, x_0 in itertools.product(range(n), range(v)):
        bayes = upto[x_0] * jump[:, x_t]
        if bayes.sum() == 0:
            continue
        onehot = F.one_hot(torch.tensor([[x_0]]), n).double()
        got = process.reverse_probs(torch.tensor([[x_t]]), onehot, t, s)[0, 0]
        torch.testing.assert_close(got, bayes / bayes.sum())


@each_token_process
def test_ancestral_sampling_of_tokens_reaches_the_law(make, rng):
    # 20,011 draws over 9 sequences: the largest standard error is 0.0036; four of them and the step bias.
    v, l, n = 3, 2, 20_011
    process = make(v)
    p = torch.rand(v**l, generator=rng) ** 2
    p /= p.sum()
    x = process.prior(process.noise(torch.zeros(n, l, dtype=torch.long), rng))
    ts = grids.uniform(40, 1 - 1e-6)
    x = final(ancestral(TokenTable(p, l, v).denoiser(process), x, ts, rng))
    frequency = torch.bincount(x[:, 0] * v + x[:, 1], minlength=v**l) / n
    assert (frequency - p).abs().max() < 0.02


def test_a_token_with_no_probability_is_never_drawn():
    process = Categorical.uniform(Flow(), 3)
    noise = process.noise(torch.zeros(1, 4, dtype=torch.long))
    noise = noise._replace(u=torch.tensor([[0.0, 0.4999, 0.5, 1 - 2**-53]], dtype=torch.float64))
    log_p0 = torch.tensor([0.0, 0.5, 0.5]).log().expand(1, 4, 3)
    x = process.reverse(torch.zeros(1, 4, dtype=torch.long), log_p0, 1.0, 0.0, noise)
    assert x.tolist() == [[1, 1, 2, 2]]


def test_masked_losses_on_a_process_without_mask_say_so():
    with pytest.raises(ValueError, match="no mask"):
        Categorical.uniform(Flow(), 3).is_masked(torch.zeros(1, 2, dtype=torch.long))
