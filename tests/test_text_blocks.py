"""Block diffusion lies between the twin and MDLM; embedded text is a Gaussian process with a codec."""

import itertools

import pytest
import torch

from diffusion_lab import grids, losses
from diffusion_lab.denoisers import Rule
from diffusion_lab.grids import stratified_law
from diffusion_lab.samplers import ddim, final
from diffusion_lab.text.blocks import BlockBound, BlockNet, block_writing, visible
from diffusion_lab.text.embedded import Embedded, EmbeddedText
from diffusion_lab.training import Recipe, Trainer

from .test_text_models import filled

SMALL = {"width": 12, "depth": 2, "heads": 2}


def test_who_sees_whom(rng):
    # By definition, token by token: places 0..5 noisy, 6..11 clean, blocks of 2.
    seen = visible(6, 2)
    for i, j in itertools.product(range(12), repeat=2):
        own, other = (k % 6 // 2 for k in (i, j))
        noisy_i, noisy_j = i < 6, j < 6
        want = {
            (True, True): own == other,
            (True, False): other < own,
            (False, True): False,
            (False, False): other <= own,
        }[noisy_i, noisy_j]
        assert seen[i, j] == want, (i, j)


def test_kept_keys_and_values_give_what_training_sees(rng):
    model = filled(BlockNet(3, 6, 2, **SMALL), rng)
    clean = torch.randint(3, (5, 6), generator=rng)
    noise = model.process.noise(clean, rng)
    noisy = model.process.diffuse(clean, 0.6, noise)
    whole, past = model(noisy, clean), None
    for i in range(3):
        own = slice(2 * i, 2 * i + 2)
        torch.testing.assert_close(model.after(noisy[:, own], past)[0], whole[:, own])
        _, past = model.after(clean[:, own], past)


def test_one_block_is_mdlm_and_blocks_of_one_are_autoregressive(rng):
    x0 = torch.randint(3, (5, 4), generator=rng)
    law = stratified_law(0.1)
    one = filled(BlockNet(3, 4, 4, **SMALL), rng)
    state = rng.get_state()
    noise = one.process.noise(x0, rng)
    denoise = Rule(one.process, lambda x, t, cond: one(x, x0))
    want = losses.masked(denoise, x0, law(5, rng), noise)
    rng.set_state(state)
    torch.testing.assert_close(BlockBound(one, law)(x0, None, rng), want)

    single = filled(BlockNet(3, 4, 1, **SMALL), rng)
    masked = torch.full((5, 4), 3)
    nll = -single(masked, x0).gather(-1, x0[..., None]).sum((1, 2))
    texts = torch.cartesian_prod(*[torch.arange(3)] * 4)
    law_of_all = -single(torch.full((81, 4), 3), texts).gather(-1, texts[..., None]).sum((1, 2))
    torch.testing.assert_close((-law_of_all).exp().sum(), torch.tensor(1.0))
    # A token is masked with probability t and then weighs 1 / t: 4001 draws, four standard errors.
    draws = BlockBound(single, law)(x0.repeat(4001, 1), None, rng).reshape(4001, 5)
    assert ((draws.mean(0) - nll).abs() < 4 * draws.std(0) / 4001**0.5).all()


def test_blocks_are_written_from_the_left_and_stay(rng):
    model = filled(BlockNet(3, 6, 2, **SMALL), rng)
    texts = list(block_writing(model, 7, steps=2, rng=rng))
    assert [text.shape for text in texts] == [(7, 2), (7, 4), (7, 6)]
    for before, after in itertools.pairwise(texts):
        assert torch.equal(after[:, : before.shape[1]], before)
    assert (texts[-1] < 3).all()
    with pytest.raises(ValueError, match=r"blocks of 4 do not tile 6 tokens"):
        BlockNet(3, 6, 4)


def test_blocks_of_one_write_their_own_law(rng):
    # 20,011 texts of 2 tokens over 3: four of the largest standard errors are 0.0144.
    model = filled(BlockNet(3, 2, 1, **SMALL), rng)
    *_, x = block_writing(model, 20_011, steps=1, rng=rng)
    texts = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    law = model(torch.full((9, 2), 3), texts).gather(-1, texts[..., None]).sum((1, 2)).exp()
    frequency = torch.bincount(3 * x[:, 0] + x[:, 1], minlength=9) / len(x)
    assert (frequency - law).abs().max() < 0.0144


def test_vectors_have_unit_variance_and_round_to_their_tokens(rng):
    model = EmbeddedText(11, 5, dim=8, **SMALL)
    x0 = torch.randint(11, (7, 5), generator=rng)
    z = model.encode(x0)
    torch.testing.assert_close(z.square().mean(-1), torch.ones(7, 5))
    assert torch.equal(model.decode(z), x0)
    distances = (z[0, 0] - model.vectors).square().sum(-1)
    nearest = model.logits(z[0, 0][None, None])[0, 0]
    torch.testing.assert_close(distances, 2 * 8 - 2 * nearest)


def test_clamping_ends_in_tokens(rng):
    model = filled(EmbeddedText(11, 5, dim=8, **SMALL), rng)
    noise = torch.randn(7, 5, 8, generator=rng)
    with torch.no_grad():
        z = final(ddim(model.clamped(), noise, grids.uniform(4)))
    torch.testing.assert_close(z, model.encode(model.decode(z)))


def test_the_loss_of_embedded_text_reaches_table_and_network(rng):
    model = EmbeddedText(11, 5, dim=8, **SMALL)
    objective = Embedded(model, stratified_law())
    loss = objective(torch.randint(11, (7, 5), generator=rng), None, rng)
    assert loss.shape == (7,)
    loss.mean().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    "objective",
    [
        lambda: BlockBound(BlockNet(3, 4, 2, **SMALL), stratified_law()),
        lambda: Embedded(EmbeddedText(3, 4, dim=8, **SMALL), stratified_law()),
    ],
    ids=["blocks", "embedded"],
)
def test_the_one_trainer_takes_both(objective, rng):
    x0 = torch.randint(3, (1, 4), generator=rng).expand(61, 4)
    torch.manual_seed(5)
    recipe = Recipe(steps=40, lr=1e-2, warmup=0)
    first, *_, last = [r.loss.item() for r in Trainer(objective(), lambda step: (x0, None), recipe).fit()]
    assert last < 0.7 * first  # one text can be learnt by heart
