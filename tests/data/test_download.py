"""Downloads from a server on this machine: a sentence for each trouble, and never half a file."""

import errno
import socket
from hashlib import sha256
from pathlib import Path

import pooch
import pytest

from diffusion_lab.data import cache_dir, download
from diffusion_lab.data.download import Remote, fetch

BODY = bytes(range(256)) * 1009


@pytest.fixture
def remote(server) -> Remote:
    """A file that the server has, with its own checksum."""
    server.files["file.gz"] = BODY
    return Remote(server.url("file.gz"), sha256(BODY).hexdigest())


def left_behind() -> list[Path]:
    """Every file in the cache, temporary ones included."""
    return [path for path in cache_dir().rglob("*") if path.is_file()]


def test_a_file_is_fetched_once_and_lies_in_its_room(remote, server):
    path = fetch(remote, "room")
    assert path == cache_dir() / "room" / "file.gz"
    assert path.read_bytes() == BODY
    assert fetch(remote, "room") == path
    assert server.asked == ["file.gz"]
    assert left_behind() == [path]


def test_a_cached_file_that_was_damaged_is_fetched_again(remote, server):
    path = fetch(remote, "room")
    path.write_bytes(BODY[:-1] + b"!")
    assert fetch(remote, "room").read_bytes() == BODY
    assert len(server.asked) == 2


def test_a_damaged_cache_is_not_used_when_the_server_is_gone(remote, server):
    fetch(remote, "room").write_bytes(BODY[:100])
    del server.files["file.gz"]
    with pytest.raises(ConnectionError, match="404"):
        fetch(remote, "room")


def test_a_whole_cached_file_needs_no_network(remote, server):
    path = fetch(remote, "room")
    server.files.clear()
    assert fetch(remote, "room") == path


def test_a_file_with_another_checksum_is_thrown_away(remote, server):
    server.files["file.gz"] = BODY[::-1]
    with pytest.raises(
        OSError, match=r"file.gz has not the SHA-256 on record and was thrown away\. Try again"
    ):
        fetch(remote, "room")
    assert left_behind() == []


def test_a_transfer_that_breaks_off_leaves_nothing(remote, server):
    server.cut.add("file.gz")
    with pytest.raises(ConnectionError, match="the transfer broke off, and nothing of it was kept"):
        fetch(remote, "room")
    assert left_behind() == []


def test_a_missing_file_names_the_servers_answer(remote, server):
    with pytest.raises(
        ConnectionError, match=r"nothing.gz: answer 404 Not Found\. Try again later; the digits"
    ):
        fetch(Remote(server.url("nothing.gz"), remote.sha256), "room")
    assert left_behind() == []


@pytest.mark.parametrize("when", ["hang", "stall"])
def test_a_server_that_falls_silent_is_given_up_on(remote, server, monkeypatch, when):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3)
    getattr(server, when).add("file.gz")
    with pytest.raises(TimeoutError, match=r"file.gz: no answer within 0.3 s\. Try again later"):
        fetch(remote, "room")
    assert left_behind() == []


def test_without_a_network_the_offline_data_are_pointed_to(server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but nobody listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.gz"
        with pytest.raises(
            ConnectionError, match=r"no connection \(ConnectionError\)\. Is this machine online\? .* toys"
        ):
            fetch(Remote(url, "0" * 64), "room")


def test_a_name_that_does_not_resolve_reads_as_offline(server, monkeypatch):
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ConnectionError, match="Is this machine online"):
        fetch(Remote("http://data.invalid/file.gz", "0" * 64), "room")


def test_a_cache_that_cannot_be_made_is_named(remote, monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("a file where the cache should be")
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path / "taken"))
    with pytest.raises(
        OSError, match=r"cache folder '.*taken.room' cannot be used: .* set DIFFUSION_LAB_CACHE to"
    ):
        fetch(remote, "room")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "it may not be written to"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
    ],
)
def test_a_disk_that_refuses_is_named_and_keeps_no_half_file(remote, monkeypatch, error, reason):
    """As root nothing is read-only and no disk is full, so the disk's answer is put in pooch's mouth."""

    def half_way(self: object, url: str, output: str, *args: object) -> None:
        Path(output).write_bytes(BODY[:1000])
        raise error

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", half_way)
    with pytest.raises(OSError, match=f"cannot be used: {reason}. Mend that, or set DIFFUSION_LAB_CACHE"):
        fetch(remote, "room")
    assert left_behind() == []


def test_the_cache_follows_its_variable_and_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.setenv(download.CACHE_VARIABLE, "~/lab")
    assert cache_dir() == Path.home() / "lab"
    monkeypatch.setenv(download.CACHE_VARIABLE, "")
    assert cache_dir() == Path(pooch.os_cache("diffusion-lab"))
