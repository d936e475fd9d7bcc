"""Formulas as trees: the number a tree stands for, and the tree as TeX.

A tree is a tuple: ("num", 2.0), ("sym", key), ("neg", a), ("+", a, b) and so on for - * / ^,
("fn", name, args), ("sum" or "prod", key, low, high, body).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Tree = tuple[Any, ...]
LONGEST_SUM = 10_000
_FROM_MATH = (
    "exp", "log", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "tanh", "sinh", "cosh",
)  # fmt: skip

_FUNCTIONS: dict[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in _FROM_MATH},
    "ln": math.log,
    "abs": abs,
    "min": min,
    "max": max,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "round": lambda x: float(round(x)),
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
}
_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": math.pow,
}  # fmt: skip


def value(tree: Tree, at: Mapping[str, float]) -> float:
    """The number of a tree where symbols have these values. ArithmeticError or ValueError: it has none."""
    head = tree[0]
    if head == "num":
        return float(tree[1])
    if head == "sym":
        return at[tree[1]]
    if head in _OPERATIONS:
        return _OPERATIONS[head](value(tree[1], at), value(tree[2], at))
    if head == "neg":
        return -value(tree[1], at)
    if head == "fn":
        return _FUNCTIONS[tree[1]](*(value(argument, at) for argument in tree[2]))
    return _fold(tree, at)


def _fold(tree: Tree, at: Mapping[str, float]) -> float:
    head, key, low, high, body = tree
    first, last = value(low, at), value(high, at)
    if not last - first < LONGEST_SUM or "#fold" in at:
        raise ValueError(f"a {head} has at most {LONGEST_SUM} terms and holds no other sum or prod")
    inner = {**at, "#fold": 1.0}
    total = 0.0 if head == "sum" else 1.0
    for index in range(round(first), round(last) + 1):
        inner[key] = float(index)
        term = value(body, inner)
        total = total + term if head == "sum" else total * term
    return total


def symbols(tree: Tree) -> Iterator[str]:
    """The keys of the symbols in a tree, with repeats."""
    if tree[0] == "sym":
        yield tree[1]
    for part in tree[1:]:
        for inner in part if tree[0] == "fn" and isinstance(part, tuple) else (part,):
            if isinstance(inner, tuple):
                yield from symbols(inner)


_RANK = {"+": 1, "-": 1, "neg": 1, "*": 2, "/": 4, "^": 3}


def tex(tree: Tree, names: Mapping[str, str]) -> str:
    """A tree as TeX, to show how an answer was read; names gives the TeX of each symbol."""
    head = tree[0]
    if head == "num":
        return f"{tree[1]:.6g}"
    if head == "sym":
        return names.get(tree[1], tree[1])
    if head == "neg":
        return "-" + _held(tree[1], 2, names)
    if head == "/":
        return f"\\frac{{{tex(tree[1], names)}}}{{{tex(tree[2], names)}}}"
    if head == "^":
        return f"{{{_held(tree[1], 5, names)}}}^{{{tex(tree[2], names)}}}"
    if head == "*":
        times = "\\cdot " if tree[2][0] == "num" else "\\,"
        return _held(tree[1], 2, names) + times + _held(tree[2], 2, names)
    if head in ("+", "-"):
        return f"{tex(tree[1], names)}{head}{_held(tree[2], 2 if head == '-' else 1, names)}"
    return _applied(tree, names)


def _applied(tree: Tree, names: Mapping[str, str]) -> str:
    inside = ", ".join(tex(argument, names) for argument in (tree[2] if tree[0] == "fn" else tree[2:]))
    if tree[1] == "sqrt":
        return f"\\sqrt{{{inside}}}"
    if tree[1] == "abs":
        return f"\\lvert {inside}\\rvert "
    return f"\\operatorname{{{tree[1] if tree[0] == 'fn' else tree[0]}}}({inside})"


def _held(tree: Tree, least: int, names: Mapping[str, str]) -> str:
    """The TeX of a part, in brackets if it binds less tightly than its place asks."""
    inside = tex(tree, names)
    return f"\\left({inside}\\right)" if _RANK.get(tree[0], 6) < least else inside
