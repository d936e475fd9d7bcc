"""How the digit classifier is trained whose features measure samples."""

import torch
import torch.nn.functional as F
from torch import Tensor

from . import zoo
from .data import load_digits
from .models.classifier import Classifier
from .seeds import rng_at


def trained_classifier(steps: int = 1000, batch: int = 128) -> tuple[Classifier, int]:
    """Cross-entropy on training digits that are a little turned, sheared, shifted and noised."""
    x, labels = load_digits(split="train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        rng = rng_at("classifier", 0, step)
        rows = torch.randint(len(x), (batch,), generator=rng)
        loss = F.cross_entropy(model(distorted(x[rows], rng)), labels[rows], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model, steps


def distorted(x: Tensor, rng: torch.Generator) -> Tensor:
    """Random affine maps that move points by about an eighth of the image, and a little noise."""
    maps = torch.eye(2, 3) + 0.12 * torch.randn(len(x), 2, 3, generator=rng)
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    moved = F.grid_sample(x + 1, grid, align_corners=False) - 1
    return moved + 0.1 * torch.randn(x.shape, generator=rng)


def judge_scores() -> dict[str, float]:
    """Of the classifier on images it never saw."""
    x, labels = load_digits(split="test")
    right = zoo.classifier().forward(x).argmax(1) == labels
    return {"test_accuracy": round(right.double().mean().item(), 4)}
