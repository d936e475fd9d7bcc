"""JupyterLab for real: open notebook 1, run it, scrub by keyboard and mouse, and see the frames change."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own, with settings of its own, serving a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--ServerApp.port={port}"]
    command += [f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.allow_root=True"]
    env = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    with (
        open(home / "log", "w") as log,
        subprocess.Popen(command, cwd=home / "notebooks", env=env, stdout=log, stderr=log) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=1):
                    break
            except OSError:
                assert server.poll() is None, (home / "log").read_text()[-2000:]
                time.sleep(0.1)
        yield url, token
        server.terminate()


@pytest.fixture
def notebook(page, lab):
    """Notebook 1, opened and run to its end."""
    url, token = lab
    page.goto(f"{url}/lab/tree/01_forward_and_reverse.ipynb?token={token}")
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # before that, "Run" would ask for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.dl-scrubber canvas').length >= 3", timeout=120_000)
    return page


def test_scrub_x_t_in_jupyterlab(notebook, lab):
    for which in (0, 1):
        widget = notebook.locator(".dl-scrubber").nth(which)
        widget.scroll_into_view_if_needed()
        slider, readout = widget.locator("input[type=range]"), widget.locator("output")
        frame = f"document.querySelectorAll('.dl-scrubber')[{which}].querySelector('canvas').toDataURL()"
        seen = [notebook.evaluate(frame)]
        slider.focus()
        for key in ("ArrowRight", "ArrowRight", "PageUp", "End", "ArrowLeft", "Home"):
            said = readout.inner_text()
            notebook.keyboard.press(key)
            assert readout.inner_text() != said, key
            seen.append(notebook.evaluate(frame))
        assert len(set(seen)) == 6  # Home is where it began
        box = slider.bounding_box()
        notebook.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
        notebook.mouse.down()
        notebook.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=7)
        notebook.mouse.up()
        assert "step 0 " not in readout.inner_text()
        widget.locator("select").select_option(index=1)
        assert "t = 1.000" in readout.inner_text()
    hosts = {asked.split("/")[2] for asked in notebook.asked if asked.startswith("http")}
    assert hosts == {lab[0].removeprefix("http://")}
