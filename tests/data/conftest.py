"""A local server and a cache of their own for the tests of downloads."""

import pytest

from diffusion_lab.data import download

from .server import serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory):
    """A server on this machine, past any proxy, and an empty cache."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(download, "TIMEOUT_S", 5.0)
    with serving() as running:
        yield running
