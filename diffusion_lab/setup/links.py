"""The repository's address stands in pyproject.toml; `python3 lab.py links` carries it to every page."""

from __future__ import annotations

import re

from diffusion_lab.setup.steps import ROOT, Stop, known, say

PAGES = ("*.md", "book/**/*.md", "notebooks/*.ipynb", "quizzes/**/*.md")


def links(options: list[str]) -> int:
    """Replace the owner/name that README.md shows by the one in pyproject.toml."""
    known(options)
    old, new = shown(), slug()
    changed = []
    for page in sorted(page for pattern in PAGES for page in ROOT.glob(pattern)):
        text = page.read_text(encoding="utf-8")
        if old != new and old in text:
            page.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
            changed.append(page.name)
    say(f"{new}: changed {', '.join(changed) or 'nothing'}.")
    return 0


def slug() -> str:
    """owner/name from pyproject.toml."""
    return _first(r'^Repository = "https://github\.com/([^"/]+/[^"/]+)"$', "pyproject.toml")


def shown() -> str:
    """owner/name as README.md has it now."""
    return _first(r"^\[repository\]: https://github\.com/(\S+)$", "README.md")


def _first(pattern: str, name: str) -> str:
    found = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise Stop(f"{name} has no line that matches {pattern}: put the repository's GitHub address there.")
    return found[1]
