"""The command behind `python3 lab.py book`: jupyter-book over the repository, warnings are errors."""

import contextlib
import functools
import http.server
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from diffusion_lab.book import downloads
from diffusion_lab.book.node import BOOK, packages
from diffusion_lab.setup.steps import ROOT, Stop, explain, known, say

PORT = 8012
# Pages are trees that stay: looking through them for garbage again and again is a tenth of the time.
JUPYTER_BOOK = "import gc; gc.set_threshold(500_000); from jupyter_book.cli.main import main; main()"


def book(words: list[str]) -> int:
    """Build the site, into _build or under the folder after --out."""
    out, options = place(words)
    known(options, "--quick", "--serve", "--downloads")
    packages()
    html = out / "_build" / "html"
    downloads.drop(html)
    code = build(out, quick="--quick" in options)
    if "--downloads" in options and not code:
        downloads.make(html, contents())
    downloads.offer(html)
    say(f"The book has faults; what could be built is in {html}" if code else f"The book is in {html}")
    if "--serve" in options:
        serve(html)
    return code


def place(words: list[str]) -> tuple[Path, list[str]]:
    """The folder after --out, or the repository; and the other words."""
    if "--out" not in words:
        return ROOT, words
    before, after = words[: words.index("--out")], words[words.index("--out") + 1 :]
    if not after or after[0].startswith("-"):
        raise Stop("--out wants a folder: python3 lab.py book --out FOLDER")
    return Path(after[0]).resolve(), before + after[1:]


def build(out: Path, quick: bool) -> int:
    """Run jupyter-book; its exit status."""
    folder = out / "_build"
    folder.mkdir(parents=True, exist_ok=True)
    toc, config = folder / "toc.yml", folder / "config.yml"
    toc.write_text(yaml.safe_dump(contents()))
    config.write_text(yaml.safe_dump(settings(quick)))
    command = [
        sys.executable,
        "-c",
        JUPYTER_BOOK,
        "build",
        ROOT,
        "--path-output",
        out,
        "--toc",
        toc,
    ]
    command += ["--config", config, "-W", "-n", "--keep-going", "-q"]
    # One thread: the same numbers from build to build, and no quarrel over the cores.
    return subprocess.call(
        [str(word) for word in command], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def settings(quick: bool) -> dict[str, Any]:
    """book/_config.yml, with notebooks left alone if the build is to be quick."""
    config: dict[str, Any] = yaml.safe_load((BOOK / "_config.yml").read_text(encoding="utf-8"))
    if quick:
        config["execute"]["execute_notebooks"] = "off"
    return config


def contents() -> dict[str, Any]:
    """book/_toc.yml without the pages that are not written yet."""
    toc: dict[str, Any] = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["chapters"] = [page for page in part["chapters"] if written(page)]
    missing = [part for part in toc["parts"] if not part["chapters"]]
    toc["parts"] = [part for part in toc["parts"] if part not in missing]
    return toc


def written(page: dict[str, str]) -> bool:
    """Whether an entry of the table of contents has a file."""
    return "glob" in page or (ROOT / f"{page['file']}.md").exists()


def serve(folder: Path) -> None:
    """Show the built pages to this machine alone, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), handler)
    except OSError:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with server, contextlib.suppress(KeyboardInterrupt):
        say(f"Open http://127.0.0.1:{server.server_port}/\nCtrl-C in this window stops it.")
        server.serve_forever()


def main(words: list[str]) -> int:
    """Run the command; what goes wrong ends in a sentence."""
    try:
        return book(words)
    except (Stop, OSError) as error:
        say(explain(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
