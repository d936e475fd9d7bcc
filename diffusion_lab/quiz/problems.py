"""What is wrong with a deck, where, and how to mend it. Problems are collected: one hides no other."""

from collections.abc import Sequence
from typing import NamedTuple

from diffusion_lab.quiz.text import clean, width

_LONGEST = 100


class Problem(NamedTuple):
    """A fault at file:line:column (from 1), in a sentence, with its cure and the line it stands on."""

    file: str
    line: int
    column: int
    message: str
    fix: str = ""
    source: str = ""

    def show(self) -> str:
        """As a compiler would print it: place and message, the line, a caret, the fix. No control codes."""
        parts = [f"{clean(self.file)}:{self.line}:{self.column}: {clean(self.message)}"]
        if self.source.strip():
            start = max(0, self.column - 1 - _LONGEST // 2)
            shown = clean(self.source[start : start + _LONGEST].replace("\t", " "))
            before = clean(self.source[start : self.column - 1].replace("\t", " "))
            parts += [f"    {shown}", f"    {' ' * width(before)}^"]
        if self.fix:
            parts.append(f"    fix: {clean(self.fix)}")
        return "\n".join(parts)


class Report:
    """Collects the problems of one file. Columns are found by the text that is at fault."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file, self.lines = file, lines
        self.problems: list[Problem] = []

    def add(self, line: int, message: str, fix: str = "", at: str = "", column: int = 0) -> None:
        """Add a problem on a line; the column is given, or the place of `at` in the line, or 1."""
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        found = source.find(at) + 1 if at else 0
        self.problems.append(Problem(self.file, line, column or found or 1, message, fix, source))
