"""A real Chromium for real pages. Without one these tests are skipped, and say so."""

import os
import shutil

import pytest

FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()  # noqa: SIM905


def chromium() -> str | None:
    """The browser's path: CHROMIUM, or the usual names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


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
