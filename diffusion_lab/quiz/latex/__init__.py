r"""TeX formulas as Unicode for the terminal: \sqrt{1-\bar\alpha_{t-1}}\,\epsilon becomes √(1 − ᾱₜ₋₁) ε.

render(tex)             one formula. TexError(message, column): an unknown command is an error, never a guess
math_spans(markdown)    where the formulas of a text are: $...$ and $$...$$, outside code
in_text(markdown)       the text with its formulas rendered; one that fails stays as it was written
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from diffusion_lab.quiz.latex.layout import join
from diffusion_lab.quiz.latex.reader import Reader, TexError

__all__ = ["Span", "TexError", "in_text", "math_spans", "render"]

LONGEST = 2000


def render(tex: str) -> str:
    """The formula as Unicode: one line, or several for aligned rows. TexError: it has no true form here."""
    if len(tex) > LONGEST:
        raise TexError(f"the formula has {len(tex)} characters; the limit is {LONGEST}", 0)
    reader = Reader(tex)
    pieces = reader.sequence(())
    if reader.at < len(reader.tokens):
        raise TexError(f"`{reader.peek()}` stands where nothing is open", reader.column())
    if len(pieces) > 1 and any(piece.part == "rows" for piece in pieces):
        raise TexError("aligned rows must stand alone in a formula", 0)
    return unicodedata.normalize("NFC", join(pieces).text.strip(" "))


class Span(NamedTuple):
    """A formula in a text: the whole span with its dollars, the TeX inside and where that begins."""

    start: int
    end: int
    tex: str
    tex_start: int
    display: bool


# Code blocks, inline code and \$ come first, so that a dollar inside them opens nothing.
_MATH = re.compile(
    r"^(```+|~~~+)[^\n]*\n.*?(?:^\1[^\n]*$|\Z)|(?P<ticks>`+)[^`].*?(?P=ticks)|\\\$|\$\$(?P<display>.+?)\$\$"
    r"|\$(?P<inline>(?![\s$])(?:[^$\\\n]|\\.|\n(?!\s*\n))+?)(?<!\s)\$(?!\d)|(?P<lone>\$)",
    re.DOTALL | re.MULTILINE,
)


def math_spans(markdown: str) -> Iterator[Span]:
    r"""Each formula of a text; a dollar that opens nothing is a span with tex ''. Prices are written \$5."""
    for found in _MATH.finditer(markdown):
        for group in ("display", "inline", "lone"):
            if found[group]:
                tex = "" if group == "lone" else found[group]
                yield Span(found.start(), found.end(), tex, found.start(group), group == "display")


def in_text(markdown: str) -> str:
    """The text with its formulas as Unicode. A formula that cannot be rendered stays as it was written."""
    parts, last = [], 0
    for span in math_spans(markdown):
        try:
            shown = render(span.tex) if span.tex else "$"
        except TexError:
            continue
        parts += [markdown[last : span.start], shown]
        last = span.end
    return "".join([*parts, markdown[last:]]).replace("\\$", "$")
