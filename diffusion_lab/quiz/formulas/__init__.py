"""Is a typed formula the card's formula? Both are computed at the same points; nothing is run as code.

spec(body) -> Spec                          the card's formula, ready to compare (grammar: spec.py)
judge(spec, mistakes, text) -> Verdict      right or not, how it was read, and the slip by its name
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from diffusion_lab.quiz import latex
from diffusion_lab.quiz.cards import Mistake
from diffusion_lab.quiz.formulas.names import FormulaError
from diffusion_lab.quiz.formulas.parser import parse
from diffusion_lab.quiz.formulas.spec import Point, Spec, number, right_side, spec
from diffusion_lab.quiz.formulas.trees import Tree, symbols, tex

__all__ = ["FormulaError", "Spec", "Verdict", "judge", "shown", "spec"]

CLOSE = 1e-9


class Verdict(NamedTuple):
    """Whether it is right, whether it could be read; a sentence; the slip by name; how it was read."""

    right: bool
    understood: bool
    message: str
    slip: str = ""
    reading: str = ""


def equal(tree: Tree, numbers: Sequence[float], points: Sequence[Point]) -> bool:
    """Whether a tree has these numbers at these points, to nine digits."""
    return all(
        math.isclose(number(tree, point), wanted, rel_tol=CLOSE, abs_tol=1e-12)
        for point, wanted in zip(points, numbers)
    )


def judge(card: Spec, mistakes: Sequence[Mistake], text: str) -> Verdict:
    """Whether a typed formula equals the card's. One that cannot be read is no wrong answer: `understood`."""
    try:
        readings = [parse(right_side(text), card.names)]
        if "/" in text:
            readings.append(parse(right_side(text), card.names, tight=True))
    except FormulaError as error:
        return Verdict(False, False, error.message)
    for tree in readings:
        if equal(tree, card.numbers, card.points):
            return Verdict(True, True, "Right.", reading=shown(card, tree))
    slip = _named_mistake(card, mistakes, readings[0]) or _slip(card, readings[0])
    return Verdict(False, True, slip or "Not equal to the answer.", slip, shown(card, readings[0]))


def shown(card: Spec, tree: Tree) -> str:
    """A tree in Unicode: how the answer was read; '' where it nests too deep to be shown."""
    try:
        return latex.render(tex(tree, card.names.tex))
    except (latex.TexError, RecursionError):
        return ""


def _named_mistake(card: Spec, mistakes: Sequence[Mistake], tree: Tree) -> str:
    for mistake in mistakes:
        wrong = parse(right_side(mistake.value), card.names)
        if equal(tree, [number(wrong, point) for point in card.points], card.points):
            return mistake.message
    return ""


def _slip(card: Spec, tree: Tree) -> str:
    """The name of a common slip, if the typed formula has exactly that one; else ''."""
    typed = [number(tree, point) for point in card.points]
    if not all(map(math.isfinite, typed)):
        return ""
    for message, wrong in _WHOLE.items():
        if all(math.isclose(a, wrong(b), rel_tol=CLOSE) for a, b in zip(typed, card.numbers)):
            return message
    ratios = [a / b for a, b in zip(typed, card.numbers) if b]
    if ratios and ratios[0] and all(math.isclose(r, ratios[0], rel_tol=CLOSE) for r in ratios):
        return f"The form is right, but it is {ratios[0]:.4g} times the answer."
    return _swapped(card, tree)


_WHOLE = {
    "The sign is wrong.": lambda x: -x,
    "That is the square of the answer: a root is missing.": lambda x: x * x,
    "That is the root of the answer: a square is missing.": lambda x: math.sqrt(abs(x)),
    "That is one over the answer.": lambda x: 1 / x if x else math.inf,
}


def _swapped(card: Spec, tree: Tree) -> str:
    """One symbol in another's place, or two exchanged."""
    typed, wanted = sorted(set(symbols(tree))), sorted(set(symbols(card.answer)))
    for wrong in typed:
        for right in wanted:
            if wrong == right:
                continue
            one = [{**point, wrong: point[right]} for point in card.points]
            both = [{**point, wrong: point[right], right: point[wrong]} for point in card.points]
            first, second = (latex.render(card.names.tex[key]) for key in (wrong, right))
            if equal(tree, card.numbers, one):
                return f"That is {first}, not {second}."
            if equal(tree, card.numbers, both):
                return f"{first} and {second} are exchanged."
    return ""
