"""Folders of images: what is read, in which order, and one sentence for whatever cannot be read."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion_lab.data import class_names, load_folder


def save(path: Path, pixels: object, mode: str | None = None, **options: object) -> Path:
    """An image file from an array; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def grey(value: int, size: tuple[int, int] = (5, 5)) -> np.ndarray:
    return np.full(size, value, np.uint8)


def values(x: torch.Tensor) -> list[int]:
    """Flat images as grey levels 0..255."""
    assert x.flatten(1).std(1).max() == 0
    return ((x[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def test_images_come_in_the_order_of_their_paths_whatever_the_depth(tmp_path):
    for value, name in ((3, "b.png"), (1, "a/z.BMP"), (2, "a/zz/c.gif"), (4, "c.ppm")):
        save(tmp_path / name, grey(value))
    x, labels = load_folder(tmp_path, 5, channels=1)
    assert x.shape == (4, 1, 5, 5)
    assert values(x) == [1, 2, 3, 4]
    assert labels is None  # an image lies in the folder itself
    assert class_names(tmp_path) == []


def test_sub_folders_are_classes(tmp_path):
    for value, name in ((10, "cat/1.png"), (20, "dog/old/1.png"), (30, "ant/1.png"), (40, "cat/2.png")):
        save(tmp_path / name, grey(value))
    x, labels = load_folder(str(tmp_path), 3, channels=1)
    assert class_names(tmp_path) == ["ant", "cat", "dog"]
    assert list(zip(values(x), labels.tolist())) == [(30, 0), (10, 1), (40, 1), (20, 2)]


def test_other_files_and_hidden_ones_are_passed_over(tmp_path):
    save(tmp_path / "a.png", grey(9))
    save(tmp_path / ".thumbnails" / "a.png", grey(1))
    (tmp_path / "._a.png").write_bytes(b"not an image")
    (tmp_path / "notes.txt").write_text("not an image")
    assert len(load_folder(tmp_path, 2)[0]) == 1


def test_pixels_keep_their_values_and_channels_their_order(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 7, 3), np.uint8)
    save(tmp_path / "a.png", pixels)
    x, _ = load_folder(tmp_path, 7)
    torch.testing.assert_close(x[0], torch.from_numpy(pixels).permute(2, 0, 1).double() / 127.5 - 1)


def test_the_largest_centred_square_is_kept(tmp_path):
    pixels = np.full((4, 12), 255, np.uint8)
    pixels[:, 4:8] = 51
    save(tmp_path / "wide.png", pixels)
    save(tmp_path / "tall.png", pixels.T)
    assert values(load_folder(tmp_path, 4, channels=1)[0]) == [51, 51]


def test_resizing_averages_instead_of_skipping_pixels(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    save(tmp_path / "stripes.png", stripes)
    assert load_folder(tmp_path, 8, channels=1)[0].abs().max() < 0.1


def test_every_colour_mode_ends_as_the_same_grey(tmp_path):
    save(tmp_path / "1 grey.png", grey(128))
    save(tmp_path / "2 palette.png", grey(128), "P")
    save(tmp_path / "3 colour.png", grey(128), "RGB")
    save(tmp_path / "4 alpha.png", grey(128), "RGBA")
    save(tmp_path / "5 print.tif", grey(128), "CMYK")
    save(tmp_path / "6 deep.png", grey(128).astype(np.uint16) * 257)
    save(tmp_path / "7 deep.tif", grey(128).astype(np.int32) * 257)
    x, _ = load_folder(tmp_path, 5, channels=3)
    assert values(x) == [128] * 7
    assert torch.equal(x[:, :1].expand_as(x), x)


def test_transparent_pixels_show_white_not_what_hides_behind_them(tmp_path):
    hidden = np.zeros((3, 3, 4), np.uint8)
    half = hidden.copy()
    half[..., 3] = 51
    save(tmp_path / "a.png", hidden)
    save(tmp_path / "b.png", half)
    Image.new("P", (3, 3)).save(tmp_path / "c.gif", transparency=0)
    assert values(load_folder(tmp_path, 3)[0]) == [255, 204, 255]


def test_exif_orientation_stands_the_image_upright(tmp_path):
    pixels = np.zeros((6, 6), np.uint8)
    pixels[:, :3] = 255  # white on the left as stored; to be shown turned by 90 degrees clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", pixels, exif=exif)
    x = load_folder(tmp_path, 6, channels=1)[0][0, 0]
    assert (x[:3] == 1).all()
    assert (x[3:] == -1).all()


def bomb(side: int) -> bytes:
    """A few bytes that say they are a PNG of side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_bad_image_is_named_with_what_is_wrong(tmp_path):
    whole = save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (31, 31), np.uint8))
    cases = {
        "text.png": (b"hello", "not an image, or a damaged one"),
        "empty.jpg": (b"", "not an image, or a damaged one"),
        "cut.png": (whole.read_bytes()[:500], "truncated"),
        "bomb.png": (bomb(20_000), "more than 89478485 pixels: shrink it"),
    }
    for name, (content, reason) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"1 of the 2 images in .*'{name}' .*{reason}.*Mend or delete"):
            load_folder(tmp_path, 8)
        path.unlink()
    save(tmp_path / "float.tif", np.zeros((3, 3), np.float32))
    with pytest.raises(ValueError, match="not 8- or 16-bit integers: save it as 8-bit PNG"):
        load_folder(tmp_path, 8)


def test_pillows_mere_warning_about_a_large_image_stops_the_load_too(tmp_path):
    (tmp_path / "large.png").write_bytes(bomb(10_000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"'large.png' .more than 89478485 pixels: shrink it"):
            load_folder(tmp_path, 8)


def test_many_bad_images_are_counted_in_one_sentence(tmp_path):
    for k in range(5):
        (tmp_path / f"{k}.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"5 of the 5 images .*'0.png' .*'2.png' .* and 2 more\. Mend"):
        load_folder(tmp_path, 8)


def test_a_missing_an_empty_and_a_wrong_folder_are_sentences(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*nowhere': give"):
        load_folder(tmp_path / "nowhere", 8)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"holds no images: give a folder with .bmp, .gif,"):
        load_folder(tmp_path, 8)
    with pytest.raises(NotADirectoryError, match=r"notes.txt' is a file: give the folder"):
        load_folder(tmp_path / "notes.txt", 8)


@pytest.mark.parametrize(("size", "channels"), [(0, 3), (8, 2), (8, 4)])
def test_an_impossible_size_or_channel_count_is_a_sentence(tmp_path, size, channels):
    save(tmp_path / "a.png", grey(1))
    with pytest.raises(ValueError, match=f"images of size {size} with {channels} channels"):
        load_folder(tmp_path, size, channels)


def test_links_inside_the_folder_are_followed_and_those_out_of_it_refused(tmp_path):
    inside, outside = tmp_path / "set", save(tmp_path / "private" / "a.png", grey(7))
    save(inside / "a.png", grey(5))
    (inside / "b.png").symlink_to(inside / "a.png")
    assert values(load_folder(inside, 5)[0]) == [5, 5]
    (inside / "c.png").symlink_to(outside)
    with pytest.raises(ValueError, match=r"c\.png' links to a file outside the folder: put a copy"):
        load_folder(inside, 5)
    (inside / "c.png").unlink()
    (inside / "d").symlink_to(outside.parent)
    with pytest.raises(ValueError, match="d' is a link to a folder: put the folder itself there"):
        load_folder(inside, 5)


def test_links_that_lead_nowhere_and_pipes_are_named_not_waited_for(tmp_path):
    (tmp_path / "1.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "2.png").symlink_to(tmp_path / "2.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "3.png")
    with pytest.raises(
        ValueError, match=r"'1.png' \(a dangling link, or no regular file\), '2.png' \(a dangl"
    ):
        load_folder(tmp_path, 8)


def test_a_folder_that_is_itself_a_link_is_fine(tmp_path):
    save(tmp_path / "set" / "a.png", grey(5))
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert values(load_folder(tmp_path / "link", 5)[0]) == [5]
