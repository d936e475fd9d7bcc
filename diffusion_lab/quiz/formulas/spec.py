"""The formula of a card: its symbols, their ranges, and the points at which formulas are compared.

The block of a formula card holds the answer, then one declaration of symbols per line:

    x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps
    abar_t: in (0, 1)                      real | positive | in (low, high) | = earlier symbols
    x0, eps: real                          several at once
    abar_{t-1} | abar_prev: in (0, 1)      other spellings after a bar, such as E[eps | x]
    eps_theta(x_t, t): real                may be written with or without these arguments
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from diffusion_lab.quiz.cards import Formula
from diffusion_lab.quiz.formulas.names import FormulaError, Name, Names
from diffusion_lab.quiz.formulas.parser import parse
from diffusion_lab.quiz.formulas.spellings import declared
from diffusion_lab.quiz.formulas.trees import Tree, value

POINTS = 8
Point = dict[str, float]


class Spec(NamedTuple):
    """A card's formula, ready to compare: vocabulary, points, the answer's tree and its numbers there."""

    names: Names
    points: list[Point]
    answer: Tree
    numbers: list[float]


def spec(formula: Formula) -> Spec:
    """The formula of a card. FormulaError: a line cannot be read, or the answer has no number somewhere."""
    names = Names({}, {}, {}, _phrases(formula.symbols))
    points: list[Point] = [{} for _ in range(POINTS)]
    for row, line in enumerate(formula.symbols):
        _declare(line, row, names, points)
    answer = parse(right_side(formula.answer), names)
    numbers = [number(answer, point) for point in points]
    if not all(map(math.isfinite, numbers)):
        raise FormulaError("the answer has no number at some values of the symbols: narrow their ranges", 0)
    return Spec(names, points, answer, numbers)


def _spellings(line: str) -> Iterator[list[str]]:
    """The spellings of each symbol that a line declares: commas part symbols, bars part spellings."""
    for symbol in _outside_brackets(line.partition(":")[0], ","):
        yield [spelling.strip() for spelling in _outside_brackets(symbol, "|")]


def _outside_brackets(text: str, mark: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "({[") - (letter in ")}]")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _phrases(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Patterns of the spellings that are no names, longest first, with the key of their symbol."""
    found = []
    for line in filter(lambda line: ":" in line, lines):
        for first, *others in _spellings(line):
            key = _named(first)[0].key
            found += [(unicodedata.normalize("NFD", other), key) for other in others if not _is_name(other)]
    found.sort(key=lambda pair: -len(pair[0]))
    return tuple((r"\s*".join(map(re.escape, re.findall(r"\w+|\S", said))), key) for said, key in found)


def _is_name(spelling: str) -> bool:
    try:
        return bool(declared(spelling))
    except FormulaError:
        return False


def _named(spelling: str) -> tuple[Name, str]:
    """The name a spelling gives and the arguments it has: eps_theta(x_t, t) -> eps_theta, "x_t, t"."""
    head, bracket, rest = spelling.partition("(")
    if bracket and not head.rstrip().endswith("_"):
        return declared(head), rest.rstrip().removesuffix(")")
    return declared(spelling), ""


def _declare(line: str, row: int, names: Names, points: list[Point]) -> None:
    """Add the symbols of one line, with their numbers at each point."""
    colon, domain = line.partition(":")[1:]
    if not colon:
        raise FormulaError(f"`{line}` declares nothing: write `symbol: real`, or another range", 0)
    for column, (first, *others) in enumerate(_spellings(line)):
        found, written = _named(first)
        if found.key in names.symbols:
            raise FormulaError(f"`{first}` is declared twice", line.find(first))
        numbers = _values(domain.strip(), 7 * row + column, names, points)
        for point, size in zip(points, numbers):
            point[found.key] = size
        names.symbols[found.key] = found.key
        names.tex[found.key] = found.tex
        names.symbols.update({declared(o).key: found.key for o in others if _is_name(o)})
        if written:
            _declare_call(found.key, written, names, points)


def _declare_call(key: str, arguments: str, names: Names, points: Sequence[Point]) -> None:
    """A symbol that may be written with arguments. These must be names, and are known from here on."""
    named = [declared(part) for part in arguments.split(",")]
    names.calls[key] = ",".join(found.key for found in named)
    for place, found in enumerate(named):
        if names.symbols.setdefault(found.key, found.key) not in names.tex:
            names.tex[found.key] = found.tex
            for point, size in zip(points, _values("real", 71 + place, names, points)):
                point[found.key] = size


def _values(domain: str, seed: int, names: Names, points: Sequence[Point]) -> list[float]:
    """One number per point from a range, spread evenly, never twice the same; or an expression's value."""
    if domain.startswith("="):
        tree = parse(domain[1:], names)
        return [number(tree, point) for point in points]
    # Steps of an irrational length spread over (0, 1) without a pattern that two symbols could share.
    spread = [(0.37 + (row + 1) * math.sqrt(2 + seed)) % 1.0 for row in range(POINTS)]
    if domain == "real":
        return [(0.3 + 2.0 * u) * (-1) ** (row // 2 + seed) for row, u in enumerate(spread)]
    if domain == "positive":
        return [0.2 + 2.5 * u for u in spread]
    low, high = _interval(domain)
    return [low + (high - low) * (0.04 + 0.92 * u) for u in spread]


def _interval(domain: str) -> tuple[float, float]:
    inside = domain.removeprefix("in").strip()
    ends = inside[1:-1].split(",")
    empty = Names({}, {}, {})
    if inside[:1] + inside[-1:] == "()" and len(ends) == 2:
        low, high = (number(parse(end, empty), {}) for end in ends)
        if low < high:
            return low, high
    raise FormulaError(f"`{domain}` is no range: write real, positive, in (0, 1) or = expression", 0)


def number(tree: Tree, point: Point) -> float:
    try:
        return value(tree, point)
    except (ArithmeticError, ValueError, RecursionError):
        return math.nan


def right_side(text: str) -> str:
    """What stands after the last equals sign."""
    return text.rpartition("=")[2].strip(" \t\n.;")
