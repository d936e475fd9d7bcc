"""Our networks against diffusers' under the same weights: one function, two programs."""

import pytest
import torch
from diffusers import DiTTransformer2DModel, UNet2DModel
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn

from diffusion_lab.models import DiT, UNet
from diffusion_lab.models.layers import time_features


class OurClock(nn.Module):
    """Ours reads t in [0, 1]; theirs takes its sinusoids in float32, which this replaces."""

    def __init__(self, features: int):
        super().__init__()
        self.features = features

    def forward(self, step):
        return time_features(step / 1000, self.features)


def copy(ours: nn.Module, theirs: nn.Module) -> None:
    """Weights of one layer, or of our q, k, v in one matrix from their three."""
    ours.load_state_dict(theirs.state_dict())


def copy_attention(ours: nn.Module, theirs: nn.Module) -> None:
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = [getattr(getattr(theirs, name), kind) for name in ("to_q", "to_k", "to_v")]
            getattr(ours.qkv, kind).copy_(torch.cat(parts))
    copy(ours.out, theirs.to_out[0])


def copy_block(ours: nn.Module, resnet: nn.Module, attention: nn.Module | None) -> None:
    for name, theirs in [
        ("norm1", "norm1"),
        ("conv1", "conv1"),
        ("film", "time_emb_proj"),
        ("norm2", "norm2"),
        ("conv2", "conv2"),
        ("skip", "conv_shortcut"),
    ]:
        if getattr(resnet, theirs) is not None:
            copy(getattr(ours, name), getattr(resnet, theirs))
    assert (attention is not None) == bool(list(ours.attention.parameters()))
    if attention is not None:
        copy(ours.attention.norm, attention.group_norm)
        copy_attention(ours.attention.attend, attention)


def blocks_of(stage: nn.Module) -> list[tuple[nn.Module, nn.Module | None]]:
    attentions = list(getattr(stage, "attentions", []))
    return list(zip(stage.resnets, attentions + [None] * (len(stage.resnets) - len(attentions)), strict=True))


def copy_unet(ours: UNet, theirs: UNet2DModel) -> None:
    copy(ours.embedding.lift, theirs.time_embedding.linear_1)
    copy(ours.embedding.mix, theirs.time_embedding.linear_2)
    copy(ours.embedding.label, theirs.class_embedding)
    copy(ours.stem, theirs.conv_in)
    encoder, decoder, resize = iter(ours.encoder), iter(ours.decoder), iter(ours.resize)
    for stage in theirs.down_blocks:
        for block in blocks_of(stage):
            copy_block(next(encoder), *block)
        for down in stage.downsamplers or []:
            copy(next(encoder).conv, down.conv)
    for block, pair in zip(ours.middle, blocks_of(theirs.mid_block), strict=True):
        copy_block(block, *pair)
    for stage in theirs.up_blocks:
        ups = [nn.Identity()] * (len(stage.resnets) - 1) + list(stage.upsamplers or [nn.Identity()])
        for block, up in zip(blocks_of(stage), ups, strict=True):
            copy_block(next(decoder), *block)
            copy(next(resize), up)
    copy(ours.norm, theirs.conv_norm_out)
    copy(ours.out, theirs.conv_out)


def test_unet_is_diffusers_unet2d(rng):
    torch.manual_seed(0)
    theirs = UNet2DModel(
        in_channels=3,
        out_channels=5,
        block_out_channels=(12, 24, 24),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8,
        norm_num_groups=6,
        attn_norm_num_groups=6,
        resnet_time_scale_shift="scale_shift",
        num_class_embeds=8,
    ).double()
    theirs.time_proj = OurClock(12)
    ours = UNet(
        3, 5, channels=12, multipliers=(1, 2, 2), attention=(1, 2), heads=3, groups=6, n_classes=7
    ).double()
    copy_unet(ours, theirs)
    x, t = torch.randn(5, 3, 12, 20, generator=rng), torch.rand(5, generator=rng)
    labels = torch.tensor([0, 7, 3, 1, 6])
    wanted = theirs(x, 1000 * t, class_labels=labels).sample
    assert wanted.std() > 0.05
    torch.testing.assert_close(ours(x, t, labels), wanted, rtol=1e-10, atol=1e-10)


def copy_dit(ours: DiT, theirs: DiTTransformer2DModel) -> None:
    copy(ours.patchify, theirs.pos_embed.proj)
    for block, other in zip(ours.blocks, theirs.transformer_blocks, strict=True):
        emb = other.norm1.emb  # a copy in every block of theirs
        emb.load_state_dict(theirs.transformer_blocks[0].norm1.emb.state_dict())
        emb.time_proj = OurClock(256)
        copy(block.adaln, other.norm1.linear)
        copy_attention(block.attend, other.attn1)
        copy(block.lift, other.ff.net[0].proj)
        copy(block.project, other.ff.net[2])
    copy(ours.embedding.lift, emb.timestep_embedder.linear_1)
    copy(ours.embedding.mix, emb.timestep_embedder.linear_2)
    copy(ours.embedding.label, emb.class_embedder.embedding_table)
    copy(ours.out, theirs.proj_out_2)
    copy(ours.film, theirs.proj_out_1)


def test_dit_is_diffusers_dit(rng):
    torch.manual_seed(0)
    theirs = DiTTransformer2DModel(
        num_attention_heads=3,
        attention_head_dim=8,
        in_channels=2,
        out_channels=4,
        num_layers=2,
        sample_size=15,
        patch_size=3,
        num_embeds_ada_norm=7,
        norm_eps=1e-6,
    )
    theirs = theirs.double().eval()
    ours = DiT(15, 2, 4, patch=3, width=24, depth=2, heads=3, n_classes=7).double()
    copy_dit(ours, theirs)
    x, t = torch.randn(5, 2, 15, 15, generator=rng), torch.rand(5, generator=rng)
    labels = torch.tensor([0, 7, 3, 1, 6])
    wanted = theirs(x, 1000 * t, class_labels=labels).sample
    assert wanted.std() > 0.05
    torch.testing.assert_close(ours(x, t, labels), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("features", [12, 256])
def test_time_features_are_diffusers_sinusoids(features):
    step = torch.arange(0, 1001, 7)
    wanted = get_timestep_embedding(step, features, flip_sin_to_cos=True, downscale_freq_shift=0)
    # Theirs rounds angles up to 1000 to float32.
    torch.testing.assert_close(time_features(step / 1000, features), wanted.double(), rtol=0, atol=2e-4)
