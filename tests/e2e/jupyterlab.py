"""A JupyterLab of one's own: a copy of the notebooks, settings of its own, and notebooks run to their end."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


@contextmanager
def serving(home: Path, theme: str = "JupyterLab Light") -> Iterator[str]:
    """Its address, with places for a notebook's name, while it runs; all that it writes lies under home.

    Each notebook gets a workspace of its own: else the tabs of the last one would come back beside it.
    """
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    settings = {**QUIET, "@jupyterlab/apputils-extension:themes": {"theme": theme}}
    (home / "overrides.json").write_text(json.dumps(settings), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", f"--LabApp.app_settings_dir={home}"]
    own = {"HOME": home, "JUPYTER_CONFIG_DIR": home / "config", "DIFFUSION_LAB_HOME": home / "store"}
    env = {**os.environ, **{name: str(path) for name, path in own.items()}, "JUPYTER_TOKEN": token}
    with (
        open(home / "log", "wb") as log,
        subprocess.Popen(command, cwd=home / "notebooks", env=env, stdout=log, stderr=log) as server,
    ):
        try:
            answers(f"http://127.0.0.1:{port}/api/status?token={token}", server, home / "log")
            yield f"http://127.0.0.1:{port}/lab/workspaces/{{0}}/tree/{{0}}.ipynb?token={token}"
        finally:
            server.terminate()


def answers(url: str, server: subprocess.Popen[bytes], log: Path, limit: float = 120) -> None:
    """Return when the server answers."""
    for _ in range(round(10 * limit)):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            assert server.poll() is None, log.read_text()[-2000:]
            time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not answer within {limit} s: {log.read_text()[-2000:]}")


def run_all(page: Any, url: str) -> None:
    """Open a notebook as a reader does, run all of its cells, and wait for the last."""
    page.goto(url)
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # before that, "Run" would ask for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=120_000)


# Every cell of code has its number: not empty, not [*].
DONE = r"""() => [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
    .every((prompt) => /\[\d+\]/.test(prompt.textContent))"""
