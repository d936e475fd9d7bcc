"""The TeX commands that take arguments: one function each, and the table that finds them by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from diffusion_lab.quiz.latex.layout import ATOM, SUM, Piece, accented, fraction, join, root
from diffusion_lab.quiz.latex.symbols import ACCENTS, DELIMITERS, FONTS, SIZES, UPRIGHT, styled

if TYPE_CHECKING:
    from diffusion_lab.quiz.latex.reader import Reader

_GRIDS = {"cases": "{ ", "matrix": "()", "pmatrix": "()", "bmatrix": "[]", "vmatrix": "||"}
_ROWS = frozenset(["aligned", "align", "align*", "gathered", "gather", "gather*", "split"])
_BOLD = frozenset(["mathbf", "boldsymbol", "bm"])


def _frac(reader: "Reader", _: str) -> list[Piece]:
    return [fraction(reader.box(), reader.box())]


def _binom(reader: "Reader", _: str) -> list[Piece]:
    return [Piece(f"({reader.box().text} choose {reader.box().text})", "ord")]


def _sqrt(reader: "Reader", _: str) -> list[Piece]:
    index = ""
    if reader.next() == "[":
        reader.take()
        index = join(reader.sequence(("]",))).text
        reader.expect("]", "after the index of the root")
    return [root(reader.box(), index)]


def _accent(reader: "Reader", name: str) -> list[Piece]:
    return [Piece(accented(reader.box(), ACCENTS[name], name.removeprefix("wide")).text, "ord")]


def _font(reader: "Reader", name: str) -> list[Piece]:
    """𝒩, 𝔼, 𝐱: bold leaves what has no bold form; the others refuse it."""
    at, text = reader.column(), reader.box().text
    letters = [styled(name, letter) or (letter if name in _BOLD else "") for letter in text]
    if "" in letters:
        raise reader.error(f"`{text}` has no \\{name} form", at)
    return [Piece("".join(letters), "ord")]


def _upright(reader: "Reader", name: str) -> list[Piece]:
    """Words: \\text keeps its spaces, \\operatorname is spaced as a function, \\mathrm d is a letter."""
    at, text = reader.column(), reader.raw_group()
    operator = name.startswith("operatorname")
    text = text.replace("\\,", "" if operator else " ").replace("\\ ", " ").replace("\\_", "_")
    if not text or any(sign in text for sign in "\\$^{}"):
        raise reader.error(f"\\{name} holds words only", at)
    if operator:
        return [Piece(text, "func")]
    if " " in text:
        return [Piece(text, "text")]
    return [Piece(text, "word" if len(text) > 1 else "ord")]


def _left(reader: "Reader", _: str) -> list[Piece]:
    """\\left( ... \\right): in text the delimiters already have the right size."""
    first = _delimiter(reader, "open")
    inner = reader.sequence(("\\right",))
    reader.expect("\\right", "to close \\left")
    return [*first, *inner, *_delimiter(reader, "close")]


def _delimiter(reader: "Reader", part: str) -> list[Piece]:
    at, token = reader.column(), reader.take()
    if token == ".":
        return []
    if token not in DELIMITERS:
        raise reader.error(f"`{token}` is no delimiter", at)
    return [Piece(DELIMITERS[token][0], part)]


def _sized(reader: "Reader", name: str) -> list[Piece]:
    at, token = reader.column(), reader.take()
    if token not in DELIMITERS:
        raise reader.error(f"`{token}` is no delimiter", at)
    text, part = DELIMITERS[token]
    side = {"l": "open", "r": "close", "m": "rel"}.get(name[-1], part)
    return [Piece(text, side)]


def _begin(reader: "Reader", _: str) -> list[Piece]:
    """Aligned rows become lines; cases and matrices stay on one line: { a, x > 0; b, otherwise."""
    at, name = reader.column(), reader.raw_group()
    if name not in _GRIDS and name not in _ROWS:
        raise reader.error(f"no terminal form is known for the environment `{name}`", at)
    rows: list[list[str]] = [[]]
    while True:
        rows[-1].append(join(reader.sequence(("&", "\\\\", "\\end"))).text)
        token = reader.take()
        if token == "\\\\":
            rows.append([])
        elif token != "&":
            break
    if token != "\\end" or reader.raw_group() != name:
        raise reader.error(f"\\end{{{name}}} is missing", reader.column())
    rows = [row for row in rows if any(row)]
    return [Piece(_aligned(rows), "rows", SUM)] if name in _ROWS else [_grid(rows, *_GRIDS[name])]


def _aligned(rows: list[list[str]]) -> str:
    widest = max((len(row[0]) for row in rows), default=0)
    return "\n".join(" ".join([row[0].rjust(widest), *row[1:]]).rstrip() for row in rows)


def _grid(rows: list[list[str]], first: str, last: str) -> Piece:
    if last == " ":
        cells = "; ".join(", ".join(cell.rstrip(", ") for cell in row if cell) for row in rows)
        return Piece(f"{first} {cells}", "ord", SUM)
    cells = "; ".join(" ".join(_cell(cell) for cell in row) for row in rows)
    return Piece(first + cells + last, "ord", ATOM)


def _cell(text: str) -> str:
    return f"({text})" if " " in text else text


COMMANDS: dict[str, Callable[["Reader", str], list[Piece]]] = {
    "sqrt": _sqrt,
    "left": _left,
    "begin": _begin,
    "binom": _binom,
    **dict.fromkeys(["frac", "dfrac", "tfrac"], _frac),
    **dict.fromkeys(ACCENTS, _accent),
    **dict.fromkeys(FONTS, _font),
    **dict.fromkeys(UPRIGHT | {"operatorname*"}, _upright),
    **dict.fromkeys(SIZES, _sized),
}
