"""The front door of Diffusion Lab. It needs Python 3.11, 3.12 or 3.13, and nothing else.

    python3 lab.py                set up once, then open the course in JupyterLab
    python3 lab.py --no-browser   the same, but only print the address
    python3 lab.py --check        start JupyterLab, wait until it answers, stop
    python3 lab.py test           set up once, then run every test; words after `test` go to pytest
    python3 lab.py book           set up once, then build the study site; --serve shows it,
                                  --downloads adds one PDF and one EPUB (Chromium prints, some minutes)
    python3 lab.py setup [--all]  only set up; --all adds what tests and maintainers need

For maintainers: `lock [--upgrade | --check]` for constraints.txt, `links` for the address in pyproject.toml.
LAB_INSTALLER=uv installs with uv where it is there: several times faster. How it works is in
diffusion_lab/setup.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from diffusion_lab.setup.links import links
from diffusion_lab.setup.lock import lock
from diffusion_lab.setup.steps import LOGS, ROOT, Stop, environment, explain, halt, known, say, tail
from diffusion_lab.setup.venv import PYTHON, set_up

# No news pop-up and no look for updates: nothing leaves this machine.
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def start(options: list[str]) -> int:
    """Open the course's first page in JupyterLab and stay until it stops."""
    known(options, "--no-browser", "--check")
    set_up("learn")
    page = min(ROOT.glob("notebooks/*.ipynb"), default=None)
    port, token, begin = free_port(), secrets.token_hex(24), time.monotonic()
    say("Starting JupyterLab ...")
    server = jupyterlab(page, port, token, browser=not options)
    try:
        wait_for(server, port, token)
        say(f"JupyterLab answers after {time.monotonic() - begin:.1f} s.")
        if "--check" not in options:
            tree = f"/tree/{page.relative_to(ROOT).as_posix()}" if page else ""
            say(f"Open http://127.0.0.1:{port}/lab{tree}?token={token}\nCtrl-C in this window stops it.")
            server.wait()
    finally:
        halt(server)
    return 0


def jupyterlab(page: Path | None, port: int, token: str, browser: bool) -> subprocess.Popen[bytes]:
    """A server for this machine alone. The token travels in the environment: arguments show in `ps`."""
    (LOGS / "overrides.json").write_text(json.dumps(SETTINGS))
    is_root = sys.platform != "win32" and os.geteuid() == 0
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.base_url": "/",
        "ServerApp.root_dir": ROOT,
        "ServerApp.open_browser": browser,
        "ServerApp.answer_yes": True,  # Ctrl-C stops it without a question
        "LabApp.app_settings_dir": LOGS,
        "LabApp.extension_manager": "readonly",  # the other one asks the network
    }
    command = [PYTHON, "-m", "jupyterlab", *([page] if page else []), *(["--allow-root"] if is_root else [])]
    command += [f"--{name}={value}" for name, value in options.items()]
    with (LOGS / "jupyterlab.log").open("wb") as log:
        env = environment(JUPYTER_TOKEN=token)
        return subprocess.Popen([str(word) for word in command], cwd=ROOT, env=env, stdout=log, stderr=log)


def wait_for(server: subprocess.Popen[bytes], port: int, token: str, limit: float = 180) -> None:
    """Return when the server answers to the token, and to nothing else."""
    deadline = time.monotonic() + limit
    while status(port, token) != 200:
        if server.poll() is not None or time.monotonic() > deadline:
            log = LOGS / "jupyterlab.log"
            mend = "If packages are missing, delete the folder .venv and run the same command again."
            raise Stop("\n".join([*tail(log, 12), f"JupyterLab did not start (log: {log}). {mend}"]))
        time.sleep(0.1)
    if status(port, "") == 200:
        raise Stop("A Jupyter configuration of yours switches the token off; `jupyter --paths` tells where.")


def status(port: int, token: str) -> int:
    """HTTP status of /api/status; 0 while nobody answers. No proxy is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"} if token else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test(words: list[str]) -> int:
    """Run pytest, by default on all tests and several cores; the last line is always `N passed, N failed`."""
    report, code = LOGS / "tests.xml", 1
    try:
        report.unlink(missing_ok=True)
        set_up("all")
        words = words or ["-n", str(min(8, os.cpu_count() or 1)), "--dist", "loadfile"]
        command = [str(PYTHON), "-m", "pytest", *words, f"--junitxml={report}"]
        code = subprocess.call(command, cwd=ROOT, env=environment(OMP_NUM_THREADS="1"))
    except (Stop, OSError) as error:
        say(explain(error))
    passed, failed, skipped = count(report)
    for reason, number in skipped.items():
        say(f"{number} skipped: {reason}")
    say(f"{passed} passed, {failed or int(code != 0)} failed")
    return int(code != 0)


def count(report: Path) -> tuple[int, int, Counter[str]]:
    """Passed, failed, and skipped by reason; a report that is not there counts nothing."""
    cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [found for case in cases if (found := case.find("skipped")) is not None and case not in failed]
    reasons = Counter(skip.get("message", "").splitlines()[0] for skip in skipped)
    return len(cases) - len(failed) - len(skipped), len(failed), reasons


def book(options: list[str]) -> int:
    """Build the study site: see diffusion_lab/book/build.py."""
    set_up("all")
    return subprocess.call(
        [str(PYTHON), "-m", "diffusion_lab.book.build", *options], cwd=ROOT, env=environment()
    )


def setup(options: list[str]) -> int:
    """Only set up."""
    known(options, "--all")
    set_up("all" if options else "learn")
    say("Ready. Next: python3 lab.py")
    return 0


COMMANDS = {"start": start, "test": test, "book": book, "setup": setup, "lock": lock, "links": links}


def main(words: list[str]) -> int:
    """Run one command; whatever goes wrong ends in a sentence."""
    if words[:1] in (["-h"], ["--help"], ["help"]):
        say(str(__doc__))
        return 0
    command, rest = (words[0], words[1:]) if words[:1] and words[0] in COMMANDS else ("start", words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that no child is left behind
    try:
        return COMMANDS[command](rest)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (Stop, OSError) as error:
        say(explain(error))
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. The same command starts again; nothing needs to be tidied up.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
