"""Does the model copy its training set? Nearest neighbours, with fresh data for a yardstick."""

import torch
from jaxtyping import Float
from torch import Tensor


def nearest(samples: Float[Tensor, "n *d"], data: Float[Tensor, "m *d"]) -> Float[Tensor, "n"]:
    """Euclidean distance to the nearest example."""
    return torch.cdist(samples.flatten(1).double(), data.flatten(1).double()).amin(1)


def nearer_to_training(
    samples: Float[Tensor, "n *d"], train: Float[Tensor, "m *d"], test: Float[Tensor, "k *d"]
) -> float:
    """The share of samples that lie nearer to a training example than to a test example: 1/2 without memory,
    if both sets have one size; more of the one set pulls towards it."""
    if len(train) != len(test):
        raise ValueError(
            f"{len(train)} training and {len(test)} test examples: the larger set is nearer by its number "
            "alone, give the same number of each."
        )
    return (nearest(samples, train) < nearest(samples, test)).double().mean().item()


def copies(
    samples: Float[Tensor, "n *d"], train: Float[Tensor, "m *d"], ratio: float = 0.1
) -> Float[Tensor, "n"]:
    """1 where the nearest training example is nearer than `ratio` times the second nearest, as a copy is and
    fresh data in many dimensions are not."""
    first, second = (
        torch.cdist(samples.flatten(1).double(), train.flatten(1).double()).topk(2, largest=False).values.T
    )
    return (first < ratio * second).double()
