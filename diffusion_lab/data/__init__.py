"""Data: endless toys in the plane, real digits without a download, folders of images, classics from the net.

`load(name)` gives examples, `training_batches(name, Share(64))` what a trainer consumes. scikit-learn, Pillow
and pooch are imported when the first call needs them.
"""

from .batches import Batches, Draws, Examples, Share
from .digits import load_digits
from .download import CACHE_VARIABLE, cache_dir
from .folder import class_names, load_folder
from .online import cifar10, fashion_mnist, mnist
from .registry import DATASETS, load, training_batches
from .toys import TOYS, Toy, gauss8_oracle

__all__ = [
    "CACHE_VARIABLE", "DATASETS", "TOYS", "Batches", "Draws", "Examples", "Share", "Toy", "cache_dir",
    "cifar10", "class_names", "fashion_mnist", "gauss8_oracle", "load", "load_digits", "load_folder", "mnist",
    "training_batches",
]  # fmt: skip
