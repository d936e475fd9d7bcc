"""MNIST, Fashion-MNIST and CIFAR-10 for those who are online: downloaded once, parsed without pickle.

SHA-256 sums: the table that TensorFlow Datasets keeps (tensorflow_datasets/url_checksums). The label files of
Fashion-MNIST were also hashed from its publisher's repository.
"""

import gzip
import math
import struct
import tarfile
import zlib
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from ..errors import lookup
from .batches import Examples
from .download import Remote, fetch

MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist"
FASHION_URL = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist"
    "/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion"
)
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"

# Per data set and split: the images, then their labels.
IDX: dict[str, dict[str, tuple[Remote, Remote]]] = {
    "mnist": {
        "train": (
            Remote(
                f"{MNIST_URL}/train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            Remote(
                f"{MNIST_URL}/train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
        ),
        "test": (
            Remote(
                f"{MNIST_URL}/t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            Remote(
                f"{MNIST_URL}/t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    },
    "fashion_mnist": {
        "train": (
            Remote(
                f"{FASHION_URL}/train-images-idx3-ubyte.gz",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Remote(
                f"{FASHION_URL}/train-labels-idx1-ubyte.gz",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
        ),
        "test": (
            Remote(
                f"{FASHION_URL}/t10k-images-idx3-ubyte.gz",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            Remote(
                f"{FASHION_URL}/t10k-labels-idx1-ubyte.gz",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    },
}
CIFAR10 = Remote(CIFAR10_URL, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
CIFAR10_PARTS = {"train": [f"data_batch_{k}.bin" for k in range(1, 6)], "test": ["test_batch.bin"]}


def mnist(split: str = "train") -> Examples:
    """Handwritten digits (n, 1, 28, 28) in [-1, 1], labels 0..9; 60 000 and 10 000   (LeCun et al. 1998)."""
    return _idx_examples("mnist", split)


def fashion_mnist(split: str = "train") -> Examples:
    """Articles of clothing, in MNIST's shape and counts   (Xiao, Rasul & Vollgraf, arXiv 1708.07747)."""
    return _idx_examples("fashion_mnist", split)


def cifar10(split: str = "train") -> Examples:
    """Photographs (n, 3, 32, 32) in [-1, 1] and labels 0..9; 50 000 and 10 000   (Krizhevsky 2009).

    The binary version: each record is a label byte, then 32 x 32 bytes each of red, green and blue.
    """
    parts = lookup(split, CIFAR10_PARTS, "split")
    archive = fetch(CIFAR10, "cifar10")
    try:
        data = b"".join(_members(archive, parts))
    except (tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise _damaged(archive, f"not the archive with {', '.join(parts)}") from error
    record = 1 + 3 * 32 * 32
    if not data or len(data) % record:
        raise _damaged(archive, f"{len(data)} bytes of records instead of a multiple of {record}")
    rows = torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(-1, record)
    return _examples(rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0], archive)


def _members(archive: Path, names: list[str]) -> list[bytes]:
    """Named files of a tar archive, read in memory: nothing is unpacked to a path that the archive chose."""
    with tarfile.open(archive, "r:gz") as tar:
        files = [tar.extractfile(f"cifar-10-batches-bin/{name}") for name in names]
        return [file.read() for file in files if file]


def _idx_examples(name: str, split: str) -> Examples:
    images, labels = (fetch(remote, name) for remote in lookup(split, IDX[name], "split"))
    x, y = read_idx(images), read_idx(labels)
    if x.ndim != 3 or y.shape != x.shape[:1]:
        raise _damaged(images, f"images of shape {tuple(x.shape)} with labels of shape {tuple(y.shape)}")
    return _examples(x[:, None], y, labels)


def read_idx(file: Path) -> UInt8[Tensor, "..."]:
    """A gzipped IDX file of bytes: 0, 0, type 8, number of axes; each axis as a big-endian 32-bit integer;
    the values, last axis fastest   (as MNIST's page defines it).
    """
    try:
        data = gzip.decompress(file.read_bytes())
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _damaged(file, "not gzip") from error
    axes = data[3] if len(data) > 3 else 0
    head = 4 + 4 * axes
    if data[:3] != b"\0\0\x08" or not axes or len(data) < head:
        raise _damaged(file, "no IDX header of unsigned bytes")
    shape = struct.unpack(f">{axes}I", data[4:head])
    if len(data) - head != math.prod(shape) or not math.prod(shape):
        raise _damaged(file, f"{len(data) - head} values for the shape {shape}")
    return torch.frombuffer(bytearray(data), dtype=torch.uint8, offset=head).reshape(shape)


def _examples(x: UInt8[Tensor, "n c h w"], labels: UInt8[Tensor, "n"], file: Path) -> Examples:
    if labels.max() > 9:
        raise _damaged(file, f"a label {int(labels.max())}, beyond the classes 0 to 9")
    return x.to(torch.get_default_dtype()) / 127.5 - 1, labels.long()


def _damaged(file: Path, what: str) -> ValueError:
    return ValueError(
        f"'{file}' holds {what}: it is not the file it should be. Get it again from its source."
    )
