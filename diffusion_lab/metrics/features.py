"""Features that are not ours: Inception, DINOv2, CLIP, for those who have their weights.

Nothing here downloads. The shipped digit classifier is the offline stand-in for all of them.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn


@torch.no_grad()
def extracted(
    net: Callable[[Tensor], Tensor], images: Float[Tensor, "n c h w"], batch: int = 64
) -> Float[Tensor, "n d"]:
    """Any network's features, batch by batch: the hook for DINOv2 (FD-DINOv2) and for a network of yours."""
    return torch.cat([net(part).flatten(1) for part in images.split(batch)])


def inception() -> nn.Module:
    """The network of the published FID, as torchmetrics wraps it; it wants bytes 0..255 of 3 channels.

    ValueError: it is not installed, or its weights are not on this machine.
    """
    try:
        from torchmetrics.image.fid import NoTrainInceptionV3

        return NoTrainInceptionV3("inception-v3-compat", ["2048"])
    except Exception as error:
        raise ValueError(
            f"Inception is not available ({type(error).__name__}: {error}): it needs `pip install "
            "torchmetrics torch-fidelity` and, once, a network to fetch 91 MB of weights. Offline, use "
            "diffusion_lab.zoo.classifier().features: numbers of different networks do not compare."
        ) from error


def clip_score(image: Float[Tensor, "n d"], text: Float[Tensor, "m d"]) -> float:
    """100 max(cos, 0), mean over pairs of CLIP embeddings   (Hessel et al. 2021, without their w = 2.5,
    as in torchmetrics). It reads a caption as a bag of words more than as a sentence."""
    if image.shape != text.shape:
        raise ValueError(f"{tuple(image.shape)} image and {tuple(text.shape)} text embeddings: give pairs.")
    return 100 * torch.cosine_similarity(image, text, dim=1).clamp(min=0).mean().item()
