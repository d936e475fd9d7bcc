"""Any folder of images as a data set."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .batches import Examples

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
MODES = {1: "L", 3: "RGB"}


def load_folder(path: str | os.PathLike[str], size: int, channels: int = 3) -> Examples:
    """Images (n, channels, size, size) in [-1, 1], in the order of their paths, and labels or None.

    Every file with an image's suffix is read, at any depth; names that begin with a dot are passed over. The
    largest centred square is resized (Lanczos), upright as its EXIF orientation says; transparent pixels show
    white; 16-bit grey becomes 8-bit; of an animation the first frame counts. When every image lies in a
    sub-folder of `path`, the sub-folders are the classes, numbered as in `class_names`.

    One image that cannot be read stops the load: data is never dropped in silence.
    """
    if size < 1 or channels not in MODES:
        raise ValueError(
            f"images of size {size} with {channels} channels: give a positive size, and 1 (grey) or 3 (RGB)."
        )
    root = _root(path)
    files = image_files(root)
    images, broken = [], []
    for file in files:
        try:
            images.append(read_image(file, size, channels))
        except Exception as error:  # Pillow's decoders raise a dozen types on damaged bytes
            broken.append(f"{str(file.relative_to(root))!r} ({_reason(error)})")
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        raise ValueError(
            f"{len(broken)} of the {len(files)} images in '{root}' cannot be used:"
            f" {', '.join(broken[:3])}{more}. Mend or delete them."
        )
    return torch.stack(images), _labels(root, files)


def class_names(path: str | os.PathLike[str]) -> list[str]:
    """The sub-folders that number the classes; empty when an image lies in the folder itself."""
    root = _root(path)
    return _classes(root, image_files(root))


def _classes(root: Path, files: list[Path]) -> list[str]:
    if any(file.parent == root for file in files):
        return []
    return sorted({file.relative_to(root).parts[0] for file in files})


def _labels(root: Path, files: list[Path]) -> Int[Tensor, "n"] | None:
    number = {name: k for k, name in enumerate(_classes(root, files))}
    return torch.tensor([number[file.relative_to(root).parts[0]] for file in files]) if number else None


def _root(path: str | os.PathLike[str]) -> Path:
    root = Path(path).expanduser()
    if not root.exists():
        raise FileNotFoundError(f"there is no folder '{root}': give a folder that holds images.")
    if not root.is_dir():
        raise NotADirectoryError(f"'{root}' is a file: give the folder that holds the images.")
    return root.resolve()


def image_files(root: Path) -> list[Path]:
    """Image files below a folder, sorted by path.

    A symbolic link to a file outside the folder, or to any folder, is refused: what a run was trained on is
    what the folder holds, and nothing else on the machine slips in.
    """
    files = sorted(_walk(root), key=lambda file: file.relative_to(root).as_posix())
    if not files:
        raise ValueError(f"'{root}' holds no images: give a folder with {', '.join(sorted(SUFFIXES))} files.")
    for file in files:
        if not Path(os.path.realpath(file)).is_relative_to(root):
            raise ValueError(
                f"'{file}' links to a file outside the folder: put a copy in its place, or remove the link."
            )
    return files


def _walk(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    for here, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if (link := Path(here, name)).is_symlink():
                raise ValueError(
                    f"'{link}' is a link to a folder: put the folder itself there, or remove it."
                )
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield Path(here, name)


def read_image(file: Path, size: int, channels: int) -> Float[Tensor, "channels size size"]:
    """One image in [-1, 1]; raises whatever Pillow raises, and ValueError where it would guess or hang."""
    from PIL import Image, ImageOps

    if not file.is_file():
        raise ValueError("a dangling link, or no regular file")
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
    image = _eight_bit(image).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(white, image).convert(MODES[channels])
    image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    grey = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(size, size, channels)
    return grey.permute(2, 0, 1).to(torch.get_default_dtype()) / 127.5 - 1


def _eight_bit(image: "Image.Image") -> "Image.Image":
    """16-bit grey scaled to 8; Pillow's own conversion would clip it."""
    if not image.mode.startswith(("I", "F")):
        return image
    import numpy as np
    from PIL import Image

    grey = np.asarray(image)
    if image.mode == "F" or grey.min() < 0 or grey.max() > 65535:
        raise ValueError("its pixels are not 8- or 16-bit integers: save it as 8-bit PNG")
    return Image.fromarray((grey / 257).round().astype(np.uint8))


def _reason(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "not an image, or a damaged one"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {Image.MAX_IMAGE_PIXELS} pixels: shrink it"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
