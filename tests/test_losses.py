"""Losses: hidden weights made visible, the hybrid's gradients, and token bounds against the exact entropy."""

import itertools

import numpy as np
import pytest
import torch

from diffusion_lab import losses
from diffusion_lab.denoisers import Denoiser, LearnedVariance, TokenDenoiser, UnitInput, substitute
from diffusion_lab.oracles import TokenTable
from diffusion_lab.processes import Categorical, Gaussian, TokenNoise
from diffusion_lab.schedules import VE, VP, Cosine, Flow, Table
from diffusion_lab.targets import TARGETS, x0_weight


def net(x, t, cond=None):
    return torch.tanh(x) + 0.1 * t.reshape(-1, 1, 1)


def batch(rng, b=7):
    x0, noise = torch.randn(2, b, 3, 5, generator=rng)
    return x0, torch.rand(b, generator=rng) * 0.9 + 0.05, noise


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("schedule", [VP(), Flow()], ids=["vp", "flow"])
def test_a_weight_means_the_same_for_every_target(name, schedule, rng):
    x0, t, noise = batch(rng)
    denoiser = Denoiser(net, Gaussian(schedule), name)
    c = schedule.at(t, x0)
    x0_hat = denoiser(denoiser.process.diffuse(x0, t, noise), t).x0
    error = (x0 - x0_hat).square().flatten(1).mean(1)
    for weight in (losses.WEIGHTS["min_snr"](), losses.WEIGHTS["edm"](0.5), losses.WEIGHTS["p2"](2.0)):
        got = losses.denoising(denoiser, x0, t, noise, weight=weight)
        torch.testing.assert_close(got, weight(c.snr).flatten() * error)
    own = losses.denoising(denoiser, x0, t, noise)
    torch.testing.assert_close(own, x0_weight(TARGETS[name], c).flatten() * error)


def test_known_weightings_as_functions_of_snr():
    snr = torch.tensor([1e-3, 0.5, 1.0, 4.0, 100.0])
    eps = {name: make()(snr) / snr for name, make in losses.WEIGHTS.items()}
    torch.testing.assert_close(eps["simple"], torch.ones(5))
    torch.testing.assert_close(eps["min_snr"], torch.minimum(torch.ones(5), 5 / snr))
    torch.testing.assert_close(eps["p2"], 1 / (1 + snr))
    torch.testing.assert_close(eps["snr_plus_1"], 1 + 1 / snr)
    # EDM: lambda(k) = (k^2 + s^2) / (k s)^2 with k^2 = 1 / SNR and s = 0.5.
    k2 = 1 / snr
    torch.testing.assert_close(losses.WEIGHTS["edm"]()(snr), (k2 + 0.25) / (k2 * 0.25))


def test_edm_target_with_its_own_weight_is_a_plain_regression(rng):
    # EDM's weight was chosen so that F is trained with weight 1 at every noise level.
    c = VE().at(torch.rand(11, generator=rng) * 0.9 + 0.05, torch.empty(11, 1))
    torch.testing.assert_close(x0_weight(TARGETS["edm"], c), losses.WEIGHTS["edm"]()(c.snr))


def test_the_network_sees_unit_variance_on_every_path(rng):
    sigma_data, seen = 0.5, {}
    x0 = sigma_data * torch.randn(40_009, 1, generator=rng)
    for schedule in (VE(), VP(), Flow()):
        process = Gaussian(schedule)
        inner = UnitInput(lambda x, t, cond: seen.update(std=x.std(0).item()) or x, process, sigma_data)
        x = process.diffuse(x0, 0.6, process.noise(x0, rng))
        inner(x, torch.full((len(x),), 0.6))
        assert seen["std"] == pytest.approx(1, abs=4 / (2 * 40_009) ** 0.5)


def test_hybrid_trains_the_mean_by_l_simple_alone(rng):
    process = Gaussian(Table.linear(101))
    weights = torch.randn(2, 3, 3, generator=rng).requires_grad_()

    def doubled(x, t, cond=None):
        return torch.cat([torch.einsum("ij,bjl->bil", w, x) for w in weights], 1)

    x0, t, noise = batch(rng)
    t = torch.arange(20, 90, 10) / 101
    denoiser = LearnedVariance(doubled, process)
    hybrid = losses.hybrid(denoiser, x0, t, t - 1 / 101, noise, vlb_weight=1.0).sum()
    (got,) = torch.autograd.grad(hybrid, weights)
    plain = Denoiser(lambda x, t, cond: doubled(x, t)[:, :3], process)
    (simple,) = torch.autograd.grad(losses.denoising(plain, x0, t, noise).sum(), weights)
    torch.testing.assert_close(got[0], simple[0])
    assert got[1].abs().max() > 0
    assert simple[1].abs().max() == 0


def expectation(process, table, loss, nodes=40):
    """E over x_0 and masks, exactly by enumeration, and over t by Gauss-Legendre."""
    times, weights = np.polynomial.legendre.leggauss(nodes)
    total, l = 0.0, table.length
    for t, w in zip((times + 1) / 2, weights / 2):
        a = process.schedule.at(float(t), torch.empty(0)).a
        for hidden in itertools.product([False, True], repeat=l):
            hidden = torch.tensor(hidden)
            p_mask = a ** (~hidden).sum() * (1 - a) ** hidden.sum()
            x0 = table.sequences
            noise = TokenNoise(
                torch.where(hidden, 1.0, -1.0).expand(x0.shape), torch.full_like(x0, table.vocab)
            )
            value = (table.probs * loss(x0, torch.full((len(x0),), t), noise)).sum()
            total = total + w * p_mask * value
    return total


@pytest.fixture
def table(rng):
    p = torch.rand(27, generator=rng) ** 3
    return TokenTable(p / p.sum(), 3, 3)


@pytest.mark.parametrize("schedule", [Flow(), Cosine(offset=0.0)], ids=["line", "cosine"])
def test_the_masked_bound_of_an_exact_denoiser_is_the_entropy_on_any_schedule(table, schedule):
    process = Categorical.masked(schedule, 3)
    denoise = table.denoiser(process)
    got = expectation(process, table, lambda x0, t, n: losses.masked(denoise, x0, t, n))
    torch.testing.assert_close(got, -(table.probs * table.probs.log()).sum(), rtol=1e-9, atol=1e-9)


def test_the_discrete_bound_becomes_the_continuous_one(table, rng):
    process, n = Categorical.masked(Flow(), 3), 20_000
    denoise, x0 = table.denoiser(process), table.sequences
    t = torch.rand(27, generator=rng) * 0.9 + 0.05
    noise = process.noise(x0, rng)
    discrete = n * losses.variational(denoise, x0, t, t - 1 / n, noise)
    torch.testing.assert_close(discrete, losses.masked(denoise, x0, t, noise), rtol=1e-3, atol=1e-3)


def test_unmasking_everything_at_once_costs_the_total_correlation(table):
    # One parallel step draws from the product of marginals: its KL to the law is the total correlation.
    process = Categorical.masked(Flow(), 3)
    masked = torch.full((1, 3), 3)
    marginals = table.denoiser(process)(masked, 1.0)[0].exp()[:, :3]
    product = torch.stack([marginals[i, table.sequences[:, i]] for i in range(3)]).prod(0)
    kl = (table.probs * (table.probs / product).log()).sum()
    joint = table.probs.reshape(3, 3, 3)
    entropies = [-(p * p.log()).sum() for p in (joint.sum((1, 2)), joint.sum((0, 2)), joint.sum((0, 1)))]
    total_correlation = sum(entropies) + (table.probs * table.probs.log()).sum()
    torch.testing.assert_close(kl, total_correlation)
    assert kl > 0.01


def test_substitution_copies_what_shows_and_never_says_mask(rng):
    logits = torch.randn(1, 3, 4, generator=rng)
    log_p = substitute(logits, torch.tensor([[1, 3, 3]]))
    assert log_p[0, 0].exp().tolist() == [0, 1, 0, 0]
    assert (log_p[..., 3] == -torch.inf).all()
    torch.testing.assert_close(log_p.exp().sum(-1), torch.ones(1, 3))


def test_token_denoiser_normalises(rng):
    logits = torch.randn(2, 3, 4, generator=rng)
    for process, tokens in ((Categorical.uniform(Flow(), 4), 4), (Categorical.masked(Flow(), 3), 4)):
        denoiser = TokenDenoiser(lambda x, t, cond: logits, process)
        log_p = denoiser(torch.randint(0, tokens, (2, 3), generator=rng), 0.5)
        torch.testing.assert_close(log_p.exp().sum(-1), torch.ones(2, 3))
