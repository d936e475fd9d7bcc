"""Published sizes, counted without memory: PyTorch's meta device builds shapes and no numbers.

The plans of Stable Diffusion 1.5, SDXL and ControlNet are those of their authors' own configuration files
(v1-inference.yaml, sd_xl_base.yaml, cldm_v15.yaml), in the words of diffusers.
"""

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn

from diffusion_lab.models import DiT, UNet
from diffusion_lab.models.dit import SIZES

SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),  # heads, in fact: 64 channels each
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


def millions(build, part: str = "") -> float:
    """Parameters whose name has `part`."""
    with torch.device("meta"):
        net: nn.Module = build()
    assert all(p.is_meta for p in net.parameters())
    return sum(p.numel() for name, p in net.named_parameters() if part in name) / 1e6


@pytest.mark.parametrize(("name", "size"), [("S", 32.9), ("B", 130.3), ("L", 457.8), ("XL", 674.8)])
def test_dit_has_the_papers_parameters(name, size):
    """Latents of 32 x 32 x 4, patches of 2, a learned variance, 1000 classes and none."""
    count = millions(lambda: DiT(32, 4, 8, patch=2, n_classes=1000, **SIZES[name]))
    assert count == pytest.approx(size, abs=0.05)


def test_a_third_of_dit_xl_modulates():
    def build() -> DiT:
        return DiT(32, 4, 8, patch=2, n_classes=1000, **SIZES["XL"])

    assert millions(build, ".adaln.") / millions(build) == pytest.approx(1 / 3, abs=0.01)


def test_unet_is_ddpms_with_a_scale_beside_every_shift():
    """DDPM's CIFAR-10 network has 35.7 M (Ho et al. 2020, appendix B): it shifts, ours scales and shifts."""

    def build() -> UNet:
        return UNet(3, channels=128, multipliers=(1, 2, 2, 2), blocks=2, attention=(1,), heads=1, groups=32)

    assert millions(build) - millions(build, ".film.") / 2 == pytest.approx(35.746307, abs=1e-6)


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (lambda: UNet2DConditionModel(cross_attention_dim=768), 859.5),
        (lambda: ControlNetModel(cross_attention_dim=768), 361.3),
        (lambda: UNet2DConditionModel(**SDXL), 2567.5),
    ],
    ids=["SD 1.5", "ControlNet", "SDXL"],
)
def test_published_networks_have_their_published_sizes(build, size):
    assert millions(build) == pytest.approx(size, abs=0.05)
