"""A drill is a Python file: the answer, the cases it is tried on, and the mistakes people make.

    '''Title.'''
    HINTS = (three strings)           from a nudge to nearly the answer
    BOOK = "page#section"             where it is explained
    def cases(): ...                  yields the arguments of one call after another
    def NAME(...): ...                the answer, called like the file
    def any_other_name(...): ...      an answer with one mistake; its docstring tells the learner which

The stub that a learner gets is the answer's signature and docstring.
"""

import inspect
import os
import runpy
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import lookup
from ..quiz.library import bundled

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Drill:
    """One function to write."""

    name: str
    title: str
    answer: Answer
    cases: Callable[[], Iterable[tuple[Any, ...]]]
    mistakes: Mapping[str, Answer]
    hints: tuple[str, str, str]
    book: str

    @property
    def solution(self) -> str:
        """The answer's code, without its docstring: the learner has that already."""
        head, body = _halves(self.answer)
        return head + body

    @property
    def stub(self) -> str:
        """What the learner starts from."""
        head, _ = _halves(self.answer)
        return head + "    raise NotImplementedError\n"


def folder() -> str:
    """Where the drills lie, in a wheel or in a checkout."""
    return os.path.join(bundled(), "drills")


@cache
def files() -> dict[str, str]:
    """Every drill's file by its name."""
    found = (file for file in sorted(os.listdir(folder())) if file.endswith(".py"))
    return {file.removesuffix(".py"): os.path.join(folder(), file) for file in found}


def names() -> list[str]:
    """All drills."""
    return list(files())


@cache
def load(name: str) -> Drill:
    """The drill of that name. ValueError: there is none, with the nearest name."""
    held = runpy.run_path(lookup(name, files(), "drill"), run_name=name)
    own = {
        key: value
        for key, value in held.items()
        if inspect.isfunction(value) and value.__module__ == name and not key.startswith("_")
    }
    answer, cases = own.pop(name), own.pop("cases")
    mistakes = {" ".join((fn.__doc__ or key).split()): fn for key, fn in own.items()}
    return Drill(name, held["__doc__"].strip(), answer, cases, mistakes, held["HINTS"], held["BOOK"])


def _halves(fn: Answer) -> tuple[str, str]:
    """A function's source: signature with docstring, and the statements after it."""
    source = textwrap.dedent(inspect.getsource(fn))
    mark = '"""\n'
    end = source.index(mark, source.index('"""') + 3) + len(mark)
    return source[:end], source[end:]
