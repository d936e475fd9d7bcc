"""ControlNet, LoRA, a picture beside x_t, and a new word or thing: what starts as nothing, what moves, what
stays."""

import pytest
import torch
from torch import nn

from diffusion_lab.data import drawn
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.grids import uniform_law
from diffusion_lab.losses import denoising
from diffusion_lab.models import UNet
from diffusion_lab.models.adapters import (
    Beside,
    ControlNet,
    Given,
    LowRank,
    add_lora,
    is_attention,
    merge,
    unmerge,
)
from diffusion_lab.models.captioned import ReadingUNet
from diffusion_lab.personalise import PriorPreservation, replaced, with_new_word
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import Flow
from diffusion_lab.training import Objective, Recipe, Trainer

UNET = {"channels": 8, "multipliers": (1, 2), "blocks": 1, "attention": (1,)}
WORDS = (len(drawn.VOCABULARY), drawn.LENGTH)


def woken(net: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for p in net.parameters():
        nn.init.normal_(p, std=0.2)
    return net


@pytest.fixture
def base():
    return woken(ReadingUNet(*WORDS, **UNET))


@pytest.fixture
def inputs(rng):
    x, image = torch.randn(2, 2, 1, 6, 10, generator=rng)
    return x, torch.tensor([0.2, 0.9]), drawn.captions(drawn.all_scenes()[[3, 71]]), image


# ControlNet


def test_a_fresh_controlnet_is_the_frozen_network_to_the_bit(base, inputs):
    x, t, words, image = inputs
    assert ControlNet(base)(x, t, Given(words, image)).equal(base(x, t, words))


def test_a_controlnet_works_on_a_network_of_classes_too(inputs):
    x, t, _, image = inputs
    net, labels = woken(UNet(**UNET, n_classes=3)), torch.tensor([2, 0])
    assert ControlNet(net)(x, t, Given(labels, image)).equal(net(x, t, labels))


def test_zero_convolutions_learn_first_and_hold_back_the_copy(base, inputs):
    x, t, words, image = inputs
    net = ControlNet(base)
    net(x, t, Given(words, image)).square().sum().backward()
    assert all(p.grad is None for p in net.net.parameters())
    assert all(joint.weight.grad.abs().max() > 0 for joint in net.joints)
    assert all(p.grad is None or p.grad.abs().max() == 0 for p in net.copy.parameters())


def test_the_map_is_heard_once_the_zero_convolutions_have_moved(base, inputs):
    x, t, words, image = inputs
    net = ControlNet(base)
    for part in (net.joints, net.copy.stem.hint):
        woken(part)
    assert (net(x, t, Given(words, image)) - net(x, t, Given(words, -image))).abs().max() > 1e-6


def test_a_controlnet_has_one_zero_convolution_per_skip_and_one_for_the_middle(base, inputs):
    x, t, words, _ = inputs
    skips = base.encode(x, base.embedding(t, words))
    assert len(ControlNet(base).joints) == len(skips) + 1
    assert not hasattr(ControlNet(base).copy, "decoder")


def test_a_condition_without_its_picture_is_refused_in_a_sentence(base, inputs):
    x, t, words, image = inputs
    with pytest.raises(ValueError, match="reads a picture"):
        ControlNet(base)(x, t, words)
    with pytest.raises(ValueError, match="same height and width"):
        ControlNet(base)(x, t, Given(words, image[..., :4]))


def test_a_network_sees_the_picture_beside_x(inputs):
    x, t, _, image = inputs
    net = woken(UNet(2, 1, **UNET))
    assert Beside(net)(x, t, Given(None, image)).equal(net(torch.cat([x, image], 1), t))


# LoRA


def test_a_fresh_lora_changes_nothing(base, inputs):
    x, t, words, _ = inputs
    before = base(x, t, words)
    loras = add_lora(base, rank=2)
    assert len(loras) == sum(is_attention(name, layer) for name, layer in base.named_modules())
    assert base(x, t, words).equal(before)


def test_lora_trains_r_times_in_plus_out_numbers_per_layer_and_nothing_else(base):
    shapes = [layer.weight.shape for name, layer in base.named_modules() if is_attention(name, layer)]
    add_lora(base, rank=3)
    trained = sum(p.numel() for p in base.parameters() if p.requires_grad)
    assert trained == sum(3 * (n_out + n_in) for n_out, n_in in shapes)


def test_merging_keeps_the_function_and_unmerging_gives_the_weights_back(base, inputs):
    x, t, words, _ = inputs
    original = {k: v.clone() for k, v in base.state_dict().items()}
    alone = base(x, t, words)
    for lora in add_lora(base, rank=2).values():
        nn.init.normal_(lora.b)
    adapted = base(x, t, words)
    assert (adapted - alone).abs().max() > 1e-3

    loras = merge(base)
    assert base.state_dict().keys() == original.keys()
    torch.testing.assert_close(base(x, t, words), adapted)
    unmerge(base, loras)
    torch.testing.assert_close(base(x, t, words), adapted)
    for lora in loras.values():
        nn.init.zeros_(lora.b)
    torch.testing.assert_close(base(x, t, words), alone)


def test_what_lora_adds_has_its_rank_and_scale():
    torch.manual_seed(0)
    lora = LowRank(torch.zeros(7, 5), rank=3, alpha=6.0)
    nn.init.normal_(lora.b)
    assert torch.linalg.matrix_rank(lora.delta()) == 3
    torch.testing.assert_close(lora.delta(), 2.0 * lora.b @ lora.a)
    torch.testing.assert_close(lora(torch.ones(7, 5)), 1 + lora.delta())


def test_lora_fits_convolutions_as_well(base, inputs):
    x, t, words, _ = inputs
    before = base(x, t, words)
    loras = add_lora(base, rank=2, where=lambda name, layer: isinstance(layer, nn.Conv2d) and "conv1" in name)
    for lora in loras.values():
        nn.init.normal_(lora.b)
    assert (base(x, t, words) - before).abs().max() > 1e-3


def test_bad_ranks_and_empty_choices_are_refused_in_a_sentence(base):
    with pytest.raises(ValueError, match="give 1 to 5"):
        LowRank(torch.zeros(7, 5), rank=6, alpha=1.0)
    with pytest.raises(ValueError, match="no layer was picked"):
        add_lora(base, where=lambda name, layer: False)


def one_step(objective, x, words):
    """Train for one step; names of the parameters that moved."""
    before = {k: v.clone() for k, v in objective.model.named_parameters()}
    for _ in Trainer(objective, lambda step: (x, words), Recipe(steps=1, warmup=0)).fit():
        pass
    return {k for k, v in objective.model.named_parameters() if not v.equal(before[k])}


def test_the_trainer_moves_loras_alone(base, inputs):
    x, _, words, _ = inputs
    add_lora(base, rank=2)
    moved = one_step(Objective(Denoiser(base, Gaussian(Flow()), "velocity"), uniform_law()), x, words)
    assert moved
    assert all(name.endswith(".b") for name in moved)  # A's first gradient passes through B = 0


# A new word, a new thing


def test_a_new_word_starts_as_its_model_and_is_all_that_moves(base, inputs):
    x, t, words, _ = inputs
    model = Denoiser(base, Gaussian(Flow()), "velocity")
    ring = drawn.NUMBERS["ring"]
    told = words.clone()
    told[:, 3] = ring
    taught, number = with_new_word(model, like=ring)
    assert number == len(drawn.VOCABULARY)
    as_new = replaced(told, ring, number)
    before = taught.output(x, t, told)
    torch.testing.assert_close(before, model.output(x, t, told))
    assert taught.output(x, t, as_new).equal(before)
    moved = one_step(Objective(taught, uniform_law()), x, as_new)
    assert moved == {"net.embedding.text.words.vector"}
    torch.testing.assert_close(taught.output(x, t, told), before)
    assert (taught.output(x, t, as_new) - before).abs().max() > 1e-6


def test_a_new_word_needs_a_reader_and_a_known_word(base):
    with pytest.raises(ValueError, match="reads no captions"):
        with_new_word(Denoiser(UNet(**UNET), Gaussian(Flow())), 1)
    with pytest.raises(ValueError, match="starts as one of"):
        with_new_word(Denoiser(base, Gaussian(Flow())), 99)


def test_prior_preservation_adds_the_weighted_loss_of_the_class(base, rng):
    model = Denoiser(base, Gaussian(Flow()), "velocity")
    x, words = torch.randn(6, 1, 6, 10, generator=rng), drawn.captions(drawn.all_scenes()[:6])
    half = torch.full((6,), 0.5)

    def law(b, rng):
        return half[:b]

    losses = PriorPreservation(model, law, weight=0.3)(x, words, torch.Generator().manual_seed(5))
    noise = model.process.noise(x, torch.Generator().manual_seed(5))
    each = denoising(model, x, half, noise, words)
    torch.testing.assert_close(losses, each[:3] + 0.3 * each[3:])
    with pytest.raises(ValueError, match="as many pictures of the class"):
        PriorPreservation(model, law)(x[:5], words[:5], rng)
