"""Making .venv: everything of constraints.txt, once, and safe to interrupt."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from diffusion_lab.setup.steps import LOGS, ROOT, VENV, Stop, say, step

PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "lab-stamp"
SUPPORTED = ("3.11", "3.12", "3.13")
EXTRAS = {"learn": "notebooks,train", "all": "dev"}


def probe(python: Path | str) -> str:
    """The version of a Python as '3.12'; '' if it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60)
        return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def base_python() -> str:
    """The Python to build on: this one if it fits, else the first on the PATH that does."""
    this: str = getattr(sys, "_base_executable", sys.executable)  # not the one inside a .venv
    for python in [this, *(shutil.which(f"python{version}") for version in SUPPORTED)]:
        if python and probe(python) in SUPPORTED:
            return python
    raise Stop(
        f"This is Python {sys.version.split()[0]}: 3.11, 3.12 or 3.13 is needed, and none was found. Install "
        "one from python.org or your system's packages and use it: python3.12 lab.py"
    )


def stamp() -> list[str]:
    """What a set-up left in .venv: extras, place, fingerprint; ['unfinished']; [] if none was here."""
    try:
        return STAMP.read_text().splitlines()
    except OSError:
        return []


def place() -> str:
    """What .venv is bound to: its Python, and the path that stands in its scripts."""
    return f"{probe(PYTHON)} in {VENV}"


def fingerprint() -> str:
    """What the packages in it follow from."""
    files = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(files)).hexdigest()


def ready(wanted: str) -> bool:
    """A finished set-up is here, runs, and holds what is wanted."""
    return stamp() in [[extras, place(), fingerprint()] for extras in (wanted, "all")]


def set_up(wanted: str) -> None:
    """Bring .venv to EXTRAS[wanted]: an unfinished set-up starts afresh, a finished one is left alone."""
    LOGS.mkdir(exist_ok=True)
    if ready(wanted):
        return
    with one_at_a_time():
        if not ready(wanted):
            begin = time.monotonic()
            say(f"Setting up Diffusion Lab in {VENV}: once, some minutes, about 1.5 GB (more with CUDA).")
            install("all" if "all" in stamp() else wanted)
            say(f"Set-up finished after {time.monotonic() - begin:.0f} s.")


def install(extras: str) -> None:
    """The steps of a set-up. Only an environment that lab.py made is ever marked as unfinished or deleted."""
    uv = shutil.which("uv") if os.environ.get("LAB_INSTALLER") == "uv" else None
    if not VENV.exists() or (stamp() and stamp()[1:2] != [place()]):
        create(uv)
    elif probe(PYTHON) not in SUPPORTED:
        raise Stop(f"{VENV} is not by lab.py and holds no Python 3.11 to 3.13: move it away or delete it.")
    pip = [uv, "pip", "install", "--python", PYTHON] if uv else [PYTHON, "-m", "pip", "install"]
    pip += ["--constraint", "constraints.txt", "--no-build-isolation"]
    with unfinished():
        step("PyTorch and build tools", *pip, "torch", "hatchling")
        step("all other packages     ", *pip, "--editable", f".[{EXTRAS[extras]}]")
        step("first import           ", PYTHON, "-I", "-c", "import torch, diffusion_lab")
    STAMP.write_text("\n".join([extras, place(), fingerprint()]))


def create(uv: str | None) -> None:
    """An empty .venv, unfinished from its first moment."""
    python = base_python()
    if VENV.exists():
        say("  clearing what an earlier set-up left")
        shutil.rmtree(VENV)
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < 2:
        raise Stop(f"Only {free:.1f} GB are free on the disk of {ROOT}: 3 are needed, 8 with CUDA.")
    VENV.mkdir()
    STAMP.write_text("unfinished")
    maker = [uv, "venv", "--seed", "--allow-existing", "--python", python] if uv else [python, "-m", "venv"]
    step("Python environment     ", *maker, VENV)
    STAMP.write_text("\n".join(["nothing", place(), ""]))


@contextlib.contextmanager
def unfinished() -> Iterator[None]:
    """Who is killed in here leaves the mark. A step that fails takes it back: installers undo what they
    began, and without a network an old .venv is better than none."""
    old = stamp()
    if old:
        STAMP.write_text("unfinished")
    try:
        yield
    except Stop:
        if old:
            STAMP.write_text("\n".join(old))
        raise


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Set-ups of one folder wait for each other. The installer inherits the lock: one that goes on after its
    set-up was killed still holds it."""
    with (LOGS / "lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            os.set_inheritable(lock.fileno(), True)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another set-up is at work in this folder: waiting for it.")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
