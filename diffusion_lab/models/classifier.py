"""A small classifier of digits whose inner features measure samples: a stand-in for Inception without a
download."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Classifier(nn.Module):
    """Images (n, 1, 8 k, 8 k) -> class scores. Larger images are averaged down to 8 x 8 first."""

    def __init__(self, n_classes: int = 10, width: int = 32, n_features: int = 64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 16, n_features),
            nn.ReLU(),
        )
        self.head = nn.Linear(n_features, n_classes)

    def features(self, x: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n f"]:
        """The last hidden layer."""
        return self.body(F.adaptive_avg_pool2d(x, 8))

    def forward(self, x: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c"]:
        return self.head(self.features(x))
