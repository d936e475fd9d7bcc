"""Real handwritten digits without a download: scikit-learn's 1797 images of 8 x 8 pixels, 17 grey levels.

Each pixel counts the inked points of a 4 x 4 block of a 32 x 32 scan (E. Alpaydin and C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI, 1998), by 13 writers. The larger sizes here keep that meaning.

The split is half and half, by class, to make Frechet distances sharp. Between n train and n test images the
means of features with covariance C are tr(C) (1/n + 1/n) apart, squared and on average: the floor, lowest for
halves. A model that draws copies from the training set adds tr(C) / n: 1.5 floors for halves, but only
(1/450 + 1/450 + 1/1347) / (2/450) = 1.17 for 1347 / 450, where copies would pass for new digits.
"""

from hashlib import blake2b

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import lookup

SIZES = (8, 16, 32)
REFINEMENTS = 10  # of 0, 2, 5, 10 and 20, the number with the smallest second differences


def load_digits(size: int = 8, split: str = "train") -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, "n"]]:
    """Images (n, 1, size, size) in [-1, 1], white ink on black, and labels 0..9.

    Block means of a larger size are the smaller one: pooling 32 or 16 pixels to 8 gives back the data.
    """
    if size not in SIZES:
        raise ValueError(f"digits of {size} pixels: choose 8, 16 or 32.")
    x, labels = raw()
    rows = lookup(split, split_rows(x, labels), "split")
    x = x[rows]
    return x if size == 8 else F.avg_pool2d(enlarged(x, 4), 32 // size), labels[rows]


def raw() -> tuple[Float[Tensor, "n 1 8 8"], Int[Tensor, "n"]]:
    """All images in scikit-learn's order: grey level k of 0..16 becomes k / 8 - 1."""
    from sklearn import datasets

    data = datasets.load_digits()
    grey = torch.from_numpy(data.images).to(torch.get_default_dtype())
    return grey[:, None] / 8 - 1, torch.from_numpy(data.target).long()


def split_rows(x: Float[Tensor, "n *d"], labels: Int[Tensor, "n"]) -> dict[str, Int[Tensor, "_"]]:
    """Row numbers of "train" and "test": within a class, images sorted by a hash go to the two in turn.

    The hash is of the pixels, so the split outlives any order of the file and any random generator.
    """
    grey = ((x + 1) * 8).round().byte().flatten(1)
    digest = [blake2b(bytes(image), digest_size=8).digest() for image in grey.tolist()]
    parts: dict[str, list[int]] = {"train": [], "test": []}
    for label in labels.unique().tolist():
        own = sorted((labels == label).nonzero()[:, 0].tolist(), key=digest.__getitem__)
        parts["train"] += own[::2]
        parts["test"] += own[1::2]
    return {split: torch.tensor(sorted(rows)) for split, rows in parts.items()}


def enlarged(x: Float[Tensor, "n 1 h w"], factor: int) -> Float[Tensor, "n 1 h2 w2"]:
    """A smooth image in [-1, 1] whose factor x factor block means are exactly x.

    Plain bicubic interpolation blurs the strokes (its block means miss x by .13 rms here) and leaves [-1, 1].
    Feeding the miss back, and clipping, sharpens them (iterative back-projection: Irani & Peleg 1991); at the
    end each block is moved towards white or black by the share that makes its mean exact.
    """
    size = [factor * side for side in x.shape[-2:]]

    def up(r: Tensor) -> Tensor:
        return F.interpolate(r, size, mode="bicubic", antialias=True)

    y = up(x).clamp(-1, 1)
    for _ in range(REFINEMENTS):
        y = (y + up(x - F.avg_pool2d(y, factor))).clamp(-1, 1)
    mean = F.avg_pool2d(y, factor)
    goal = 2 * (x > mean).to(x) - 1
    share = torch.where(x == mean, 0.0, (x - mean) / (goal - mean))
    share, goal = (F.interpolate(r, size) for r in (share, goal))
    return torch.lerp(y, goal, share).clamp(-1, 1)
