"""A network that names the attributes of a picture that has a caption: what samples are judged by."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class Judge(nn.Module):
    """Pictures (n, 1, 16, 16) -> the number of every attribute. Other sizes are brought to 16 pixels
    first."""

    def __init__(self, counts: Sequence[int], width: int = 24):
        super().__init__()
        self.counts = tuple(counts)
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 16, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, sum(self.counts))

    def features(self, x: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n f"]:
        """The last hidden layer."""
        return self.body(x if x.shape[-1] == 16 else F.interpolate(x, (16, 16), mode="area"))

    def loss(self, x: Float[Tensor, "n 1 h w"], scenes: Int[Tensor, "n m"]) -> Float[Tensor, "n"]:
        """Cross-entropy of every example, summed over attributes."""
        parts = self.head(self.features(x)).split(self.counts, 1)
        each = [F.cross_entropy(part, scenes[:, i], reduction="none") for i, part in enumerate(parts)]
        return torch.stack(each).sum(0)

    def forward(self, x: Float[Tensor, "n 1 h w"]) -> Int[Tensor, "n m"]:
        """The likeliest number of each attribute."""
        parts = self.head(self.features(x)).split(self.counts, 1)
        return torch.stack([part.argmax(1) for part in parts], 1)
