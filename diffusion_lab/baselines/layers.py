"""A plain perceptron, the body of every baseline."""

from torch import nn


def perceptron(inputs: int, outputs: int, width: int = 128, depth: int = 3) -> nn.Sequential:
    """depth hidden layers with SiLU between them."""
    layers: list[nn.Module] = [nn.Linear(inputs, width), nn.SiLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))
