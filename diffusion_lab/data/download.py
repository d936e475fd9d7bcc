"""Files from the net: fetched once, verified by SHA-256 at every use, cached, never half-written.

pooch writes to a temporary file beside the target, compares the hash, then renames: what stands under the
final name is whole. A cached file that was damaged later fails its hash and is fetched again.
"""

import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "DIFFUSION_LAB_CACHE"
TIMEOUT_S = 30.0
"""How long a server may stay silent, while connecting and between two pieces of a file."""

LATER = "Try again later; the digits and the toys need no network."


@dataclass(frozen=True)
class Remote:
    """A file on the net, and the SHA-256 that it must have."""

    url: str
    sha256: str


def cache_dir() -> Path:
    """Where downloads are kept: $DIFFUSION_LAB_CACHE, or else the user's cache folder."""
    import pooch

    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("diffusion-lab")).expanduser()


def fetch(remote: Remote, room: str) -> Path:
    """The verified local copy, in the sub-folder `room` of the cache; downloads it the first time.

    Raises TimeoutError or ConnectionError for the net, OSError for the disk and for a wrong file.
    """
    import pooch
    from requests.exceptions import RequestException

    place = cache_dir() / room
    try:
        path = pooch.retrieve(
            remote.url,
            known_hash=f"sha256:{remote.sha256}",
            fname=remote.url.rsplit("/", 1)[-1],
            path=place,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S, progressbar=sys.stderr.isatty()),
        )
    except RequestException as error:
        raise _net_error(remote.url, error) from error
    except ValueError as error:  # pooch's type for a wrong hash
        raise OSError(
            f"the file from {remote.url} has not the SHA-256 on record and was thrown away. Try again; if it"
            " happens twice, a proxy or the server has changed the file."
        ) from error
    except OSError as error:
        raise OSError(
            f"the cache folder '{place}' cannot be used: {_disk_trouble(error)}. Mend that, or set"
            f" {CACHE_VARIABLE} to another folder."
        ) from error
    return Path(path)


def _net_error(url: str, error: Exception) -> OSError:
    """requests' errors as one sentence each; nothing is kept of what had arrived."""
    from requests import exceptions
    from urllib3.exceptions import ReadTimeoutError

    # A server that falls silent in the middle of a file reads as a ConnectionError around the timeout.
    if isinstance(error, exceptions.Timeout) or any(isinstance(a, ReadTimeoutError) for a in error.args):
        return TimeoutError(f"{url}: no answer within {TIMEOUT_S:g} s. {LATER}")
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return ConnectionError(f"{url}: answer {error.response.status_code} {error.response.reason}. {LATER}")
    if isinstance(error, exceptions.ChunkedEncodingError | exceptions.ContentDecodingError):
        return ConnectionError(f"{url}: the transfer broke off, and nothing of it was kept. {LATER}")
    return ConnectionError(f"{url}: no connection ({type(error).__name__}). Is this machine online? {LATER}")


def _disk_trouble(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    if isinstance(error, PermissionError):
        return "it may not be written to"
    return error.strerror or str(error)
