"""Running one command of a set-up: a clock while it runs, its last words and advice when it fails."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOGS = ROOT / ".lab"
ADVICE = {
    r"No space left on device|Errno 28": (
        "The disk, or the folder for temporary files, is full. Free 3 GB (8 GB where PyTorch comes with "
        "CUDA), or point TMPDIR at a disk with room."
    ),
    r"name resolution|getaddrinfo|ConnectionError|Connection refused|unreachable|timed out"
    r"|ProxyError|SSLError|dns error|error sending request": (
        "The packages could not be downloaded. Look at the network, the proxy (HTTPS_PROXY) and, if you set "
        "one, the address of your package index."
    ),
    r"distribution found for torch\b|\(constraint\) torch==|torch.* has no (usable )?wheels": (
        "No PyTorch was found for this machine. There is one for 64-bit Linux with glibc, Windows on x86 and "
        "macOS 14 on Apple silicon; elsewhere, as on Intel Macs, use Colab (README.md). If this is one of "
        "those, look at the address of your package index."
    ),
    r"ensurepip|No module named '?venv": (
        "This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv."
    ),
    r"No module named '?pip": "The folder .venv has no pip: delete it.",
    r"WinError 126|c10\.dll": "PyTorch on Windows needs the Microsoft Visual C++ Redistributable (x64).",
    r"WinError (5|32)\b|[Pp]ermission ?(denied|Error)|Errno 13": (
        "Some files cannot be written. Close programs that use .venv; if another user made it, delete it as "
        "that user."
    ),
}


class Stop(Exception):
    """A sentence for the user: what went wrong and what to do."""


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def known(options: list[str], *expected: str) -> None:
    """Stop at an option that does not exist."""
    if wrong := [option for option in options if option not in expected]:
        raise Stop(f"{wrong[0]!r} is unknown here: see python3 lab.py --help")


def advice(output: str) -> str:
    """What to do about a command that failed, from what it printed."""
    found = (text for pattern, text in ADVICE.items() if re.search(pattern, output))
    return next(found, "The lines above say why.") + " Then run the same command again."


def explain(error: Exception) -> str:
    """An error as a sentence; one of the operating system's gets advice."""
    return f"\nStopped: {error}" if isinstance(error, Stop) else f"\nStopped: {error}\n{advice(str(error))}"


def tail(log: Path, lines: int) -> list[str]:
    """The last lines that say something."""
    text = log.read_bytes()[-20_000:].decode(errors="replace")
    return [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()][-lines:]


def environment(**more: str) -> dict[str, str]:
    """The variables for a command inside .venv: without those that lead it out again."""
    astray = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_CONSTRAINT"}
    env = {name: value for name, value in os.environ.items() if name not in astray}
    scripts = VENV / ("Scripts" if os.name == "nt" else "bin")
    env["PATH"] = os.pathsep.join([str(scripts), env.get("PATH", os.defpath)])
    return {**env, "VIRTUAL_ENV": str(VENV), **more}


def for_installers() -> dict[str, str]:
    """pip asks nothing, decorates nothing and stays in .venv; uv is told what pip's own variables say."""
    told = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off"}
    for pip, uv, joint in (
        ("PIP_FIND_LINKS", "UV_FIND_LINKS", ","),
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", " "),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX", " "),
        ("PIP_CERT", "SSL_CERT_FILE", " "),
    ):
        if pip in os.environ and uv not in os.environ:
            told[uv] = joint.join(os.environ[pip].split())
    return told


def halt(process: subprocess.Popen[bytes]) -> None:
    """No child outlives its parent."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def step(title: str, *command: object) -> None:
    """Run one command under a running clock. Its output goes to a log, whose end is shown if it fails."""
    log, begin, terminal = LOGS / "setup.log", time.monotonic(), sys.stdout.isatty()
    with log.open("wb") as output:
        # Open locks go to the child: see venv.one_at_a_time.
        process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, env=environment(**for_installers()), stdout=output,
            stderr=output, stdin=subprocess.DEVNULL, close_fds=False,
        )  # fmt: skip
        try:
            clock(title, begin, "", terminal)
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.3 if terminal else 20)
                clock(title, begin, "".join(tail(log, 1)) if process.returncode is None else "", terminal)
        finally:
            halt(process)
            if terminal:
                say("")
    if process.returncode:
        last = tail(log, 40)
        failed = f"The step '{title.strip()}' failed (log: {log})."
        raise Stop("\n".join([*last[-12:], failed, advice("\n".join(last))]))


def clock(title: str, begin: float, news: str, terminal: bool) -> None:
    """One line: in a terminal it is written over again and again, in a file a new one."""
    line = f"  {title}  {time.monotonic() - begin:4.0f} s  {news.strip()}"
    if terminal:
        width = shutil.get_terminal_size().columns - 1
        print("\r" + line[:width].ljust(width), end="", flush=True)
    else:
        say(line[:120].rstrip())
