"""MNIST, Fashion-MNIST and CIFAR-10 from tiny archives on a local server: the same path, other checksums."""

import gzip
import io
import struct
import tarfile
from hashlib import sha256
from urllib.parse import urlparse

import pytest
import torch

from diffusion_lab.data import cifar10, fashion_mnist, load, mnist, online
from diffusion_lab.data.download import Remote
from diffusion_lab.data.online import CIFAR10_PARTS, read_idx

IDX_LOADERS = {"mnist": mnist, "fashion_mnist": fashion_mnist}


def idx(values: torch.Tensor) -> bytes:
    """A gzipped IDX file, written by the format's definition."""
    head = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + bytes(values.flatten().tolist()))


def offer(server, name: str, body: bytes) -> Remote:
    server.files[name] = body
    return Remote(server.url(name), sha256(body).hexdigest())


def offer_idx(server, monkeypatch, name: str, images: bytes, labels: bytes) -> None:
    pair = offer(server, "images.gz", images), offer(server, "labels.gz", labels)
    monkeypatch.setitem(online.IDX, name, {"train": pair, "test": pair[::-1]})


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, body in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def bytes_like(*shape: int) -> torch.Tensor:
    return torch.randint(256, shape, generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.parametrize("name", IDX_LOADERS)
def test_idx_images_and_labels_arrive_as_they_were_written(server, monkeypatch, name):
    images, labels = bytes_like(11, 5, 7), torch.arange(11, dtype=torch.uint8) % 10
    offer_idx(server, monkeypatch, name, idx(images), idx(labels))
    for x, y in (IDX_LOADERS[name](), load(name)):
        torch.testing.assert_close(x, images[:, None].double() / 127.5 - 1)
        assert torch.equal(y, labels.long())
    assert server.asked == ["images.gz", "labels.gz"]


def test_the_two_data_sets_do_not_share_a_cached_file(server, monkeypatch):
    labels = torch.zeros(3, dtype=torch.uint8)
    for name, value in (("mnist", 0), ("fashion_mnist", 255)):
        offer_idx(
            server, monkeypatch, name, idx(torch.full((3, 2, 2), value, dtype=torch.uint8)), idx(labels)
        )
        assert (IDX_LOADERS[name]()[0] == (-1 if value == 0 else 1)).all()


DAMAGED_IDX = {
    "not gzip": (b"plain", "not gzip"),
    "cut gzip": (gzip.compress(b"x" * 1000)[:-20], "not gzip"),
    "empty": (gzip.compress(b""), "no IDX header"),
    "cut header": (gzip.compress(b"\0\0\x08\x03\0\0"), "no IDX header"),
    "no axes": (gzip.compress(b"\0\0\x08\0" + bytes(4)), "no IDX header"),
    "float values": (gzip.compress(b"\0\0\x0d\x01\0\0\0\x01" + bytes(4)), "no IDX header of unsigned bytes"),
    "too few values": (gzip.compress(b"\0\0\x08\x01\0\0\0\x05" + bytes(4)), r"4 values for the shape \(5,\)"),
    "too large": (gzip.compress(b"\0\0\x08\x02" + b"\xff" * 8 + bytes(4)), "4 values for the shape"),
    "no values": (gzip.compress(b"\0\0\x08\x01\0\0\0\0"), "0 values"),
}


@pytest.mark.parametrize("case", DAMAGED_IDX)
def test_a_damaged_idx_file_is_a_sentence(tmp_path, case):
    content, what = DAMAGED_IDX[case]
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.gz' holds {what}.*Get it again from its source"):
        read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize(
    ("images", "labels", "what"),
    [
        ((5, 3, 3), torch.zeros(4, dtype=torch.uint8), r"labels of shape \(4,\)"),
        ((5, 3), torch.zeros(5, dtype=torch.uint8), r"images of shape \(5, 3\)"),
        ((5, 3, 3), torch.tensor([0, 1, 2, 3, 10], dtype=torch.uint8), "a label 10, beyond"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_a_sentence(server, monkeypatch, images, labels, what):
    offer_idx(server, monkeypatch, "mnist", idx(bytes_like(*images)), idx(labels))
    with pytest.raises(ValueError, match=what):
        mnist()


@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar_records_are_a_label_and_three_colour_planes(server, monkeypatch, split):
    images, labels = bytes_like(7, 3, 32, 32), torch.arange(7, dtype=torch.uint8)
    records = torch.cat([labels[:, None], images.flatten(1)], 1)
    parts = CIFAR10_PARTS[split]
    shares = records.tensor_split(len(parts))
    files = {name: bytes(share.flatten().tolist()) for name, share in zip(parts, shares)}
    monkeypatch.setattr(online, "CIFAR10", offer(server, "cifar.tar.gz", tar(files)))
    x, y = cifar10(split)
    torch.testing.assert_close(x, images.double() / 127.5 - 1)
    assert torch.equal(y, labels.long())


WRONG_CIFAR = {
    "no archive": (b"no archive", "not the archive with test_batch.bin"),
    "other members": (tar({"other.bin": bytes(3073)}), "not the archive with test_batch.bin"),
    "cut": (tar({"test_batch.bin": bytes(bytes_like(6146).tolist())})[:3000], "not the archive"),
    "cut record": (
        tar({"test_batch.bin": bytes(3072)}),
        "3072 bytes of records instead of a multiple of 3073",
    ),
    "no records": (tar({"test_batch.bin": b""}), "0 bytes of records"),
    "label 11": (tar({"test_batch.bin": bytes([11]) + bytes(3072)}), "a label 11"),
}


@pytest.mark.parametrize("case", WRONG_CIFAR)
def test_a_wrong_cifar_archive_is_a_sentence(server, monkeypatch, case):
    body, what = WRONG_CIFAR[case]
    monkeypatch.setattr(online, "CIFAR10", offer(server, "cifar.tar.gz", body))
    with pytest.raises(ValueError, match=what):
        cifar10("test")


def test_an_archive_cannot_write_outside_the_cache_nor_run_anything(server, monkeypatch, tmp_path):
    """Members are read by name in memory; what else an archive brings is never touched."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        evil = tarfile.TarInfo(str(tmp_path / "evil"))
        archive.addfile(evil, io.BytesIO())
        link = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    monkeypatch.setattr(online, "CIFAR10", offer(server, "cifar.tar.gz", buffer.getvalue()))
    with pytest.raises(ValueError, match="not the archive"):
        cifar10("test")
    assert list(tmp_path.iterdir()) == []


def test_unknown_splits_are_refused_before_anything_is_fetched(server):
    for loader in (mnist, fashion_mnist, cifar10):
        with pytest.raises(ValueError, match="no split 'valid'"):
            loader("valid")
    assert server.asked == []


def test_every_address_is_encrypted_and_every_checksum_a_sha256():
    remotes = [r for splits in online.IDX.values() for pair in splits.values() for r in pair] + [
        online.CIFAR10
    ]
    assert len({r.sha256 for r in remotes}) == len({r.url for r in remotes}) == 9
    for remote in remotes:
        assert urlparse(remote.url).scheme == "https"
        assert len(bytes.fromhex(remote.sha256)) == 32
