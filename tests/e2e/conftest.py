"""A real Chromium for real pages, and the built site. Without them these tests are skipped, and say so."""

import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from diffusion_lab.book.browser import FLAGS, chromium
from diffusion_lab.setup.steps import ROOT
from tests.book.skips import packages_or_skip


@pytest.fixture(scope="session")
def browser():
    """One browser for the session."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: install it, or set CHROMIUM to its path, to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A fresh page that fails the test on errors of its own scripts, and remembers whom it asked."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    assert not page.errors
    context.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def built(temporary):
    """The site's folder: one process of the run builds it, the others wait."""
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    out = shared / "book"
    with FileLock(shared / "book.lock"):
        if not (out / "done").exists():
            command = [sys.executable, "-m", "diffusion_lab.book.build", "--quick", "--out", str(out)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
            assert not done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
            (out / "done").touch()
    return out / "_build/html"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """(address, folder) of a quick build, in which no notebook runs; BOOK_SITE names a finished one."""
    if "BOOK_SITE" in os.environ:
        folder = Path(os.environ["BOOK_SITE"])
    else:
        packages_or_skip()
        folder = built(tmp_path_factory.getbasetemp())
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()


@pytest.fixture
def opened(page, site):
    """Opens a page of the site and waits until its parts are alive."""

    def open_page(name):
        page.goto(site[0] + name, wait_until="networkidle")
        return page

    return open_page
