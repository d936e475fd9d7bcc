"""constraints.txt: one version of everything for every system and Python, written by uv."""

from __future__ import annotations

import re
import shutil
import subprocess

from diffusion_lab.setup.steps import LOGS, ROOT, Stop, environment, known, say
from diffusion_lab.setup.venv import SUPPORTED

CONSTRAINTS = ROOT / "constraints.txt"
PLATFORMS = ("linux", "macos", "windows")
PLAIN = ("--no-header", "--no-annotate")


def lock(options: list[str]) -> int:
    """Write constraints.txt anew, keeping versions unless --upgrade; --check only resolves it everywhere.

    torch never moves by itself: to move it, change its line in constraints.txt and run this.
    """
    known(options, "--check", "--upgrade")
    LOGS.mkdir(exist_ok=True)
    if "--check" not in options:
        CONSTRAINTS.write_text(tidy(universal("--upgrade" in options)), newline="\n")
        say(f"Wrote {CONSTRAINTS.name}.")
    for platform in PLATFORMS:
        for version in SUPPORTED:
            compiled("--constraint", CONSTRAINTS, "--python-platform", platform, "--python-version", version)
            say(f"  {platform}, Python {version}: resolves")
    return 0


def universal(upgrade: bool) -> str:
    """uv's answer for all systems at once. A version that the output file already has is kept."""
    pin, output = LOGS / "torch.txt", LOGS / "lock.txt"
    pin.write_text(torch_line(CONSTRAINTS.read_text()))
    output.write_text("" if upgrade else CONSTRAINTS.read_text())
    compiled("--universal", "--python-version", SUPPORTED[0], "--constraint", pin, "--output-file", output)
    return output.read_text()


def compiled(*options: object) -> None:
    """uv pip compile, from the public index alone: local wheels would make the result this machine's own."""
    uv = shutil.which("uv", path=environment()["PATH"])
    if not uv:
        raise Stop("uv is needed for the lock: python3 lab.py setup --all")
    command = [uv, "pip", "compile", "pyproject.toml", "--all-extras", "--quiet", *PLAIN]
    # PyTorch needs macOS 14; uv assumes an older one.
    env = {**environment(MACOSX_DEPLOYMENT_TARGET="14.0"), "UV_FIND_LINKS": ""}
    done = subprocess.run([*command, *map(str, options)], cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise Stop(f"uv could not resolve ({' '.join(map(str, options))}):\n{done.stderr}")


def torch_line(text: str) -> str:
    """The pin of torch without a local version."""
    found = re.search(r"^torch==([\d.]+)", text, re.MULTILINE)
    if not found:
        raise Stop("constraints.txt has no line torch==X.Y.Z: give it one, the lock keeps it.")
    return f"torch=={found[1]}\n"


def tidy(text: str) -> str:
    """Sorted, torch on one line, no local versions, and no CUDA packages: torch's own metadata pins those."""
    others = re.sub(r"^(torch==|nvidia|cuda|triton\b).*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\+cpu\b", "", others).splitlines(keepends=True)
    return "".join(sorted({*lines, torch_line(text)}, key=lambda line: line.split("==")))
