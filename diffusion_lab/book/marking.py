"""What a page's script needs to mark a card, as JSON: the values that the terminal compares with."""

from collections.abc import Callable
from typing import Any

from diffusion_lab.quiz import draws, formulas, latex
from diffusion_lab.quiz.asked import Asked
from diffusion_lab.quiz.cards import Bug, Cloze, Formula, Numeric
from diffusion_lab.quiz.formulas.parser import parse
from diffusion_lab.quiz.formulas.spec import number, right_side
from diffusion_lab.quiz.formulas.trees import symbols


def marking(asked: Asked) -> dict[str, Any]:
    """The right answer of one asking, its tolerances and its named mistakes; no text that is shown."""
    body = asked.card.body
    data: dict[str, Any] = {"kind": asked.card.kind, "musts": [point.must for point in asked.card.points]}
    data["options"] = [option.right for option in asked.options]
    data["ranks"] = [step.rank for step in asked.steps]
    return data | (MORE[type(body)](asked) if type(body) in MORE else {})


def _numeric(asked: Asked) -> dict[str, Any]:
    body, values = asked.card.body, asked.values
    assert isinstance(body, Numeric)
    assert values is not None
    return {
        "number": asked.number,
        "tolerance": body.tolerance,
        "relative": body.relative,
        "unit": body.unit,
        "mistakes": [draws.compute(mistake.value, values) for mistake in asked.card.mistakes],
    }


def _formula(asked: Asked) -> dict[str, Any]:
    """The vocabulary, and the numbers of the answer and of each mistake at the points of comparison."""
    assert isinstance(asked.card.body, Formula)
    spec = formulas.spec(asked.card.body)
    wrong = [parse(right_side(mistake.value), spec.names) for mistake in asked.card.mistakes]
    return {
        "symbols": list(spec.names.symbols.items()),
        "calls": list(spec.names.calls.items()),
        "phrases": spec.names.phrases,
        "power": spec.names.power,
        "points": spec.points,
        "numbers": spec.numbers,
        "mistakes": [[finite(number(tree, point)) for point in spec.points] for tree in wrong],
        "answer": sorted(set(symbols(spec.answer))),
        "shown": {key: latex.render(tex) for key, tex in spec.names.tex.items()},
    }


def finite(x: float) -> float | None:
    """JSON knows no NaN."""
    return x if abs(x) < float("inf") else None


def _cloze(asked: Asked) -> dict[str, Any]:
    assert isinstance(asked.card.body, Cloze)
    return {"gaps": asked.card.body.gaps}


def _bug(asked: Asked) -> dict[str, Any]:
    assert isinstance(asked.card.body, Bug)
    return {"lines": asked.card.body.lines}


MORE: dict[type, Callable[[Asked], dict[str, Any]]] = {
    Numeric: _numeric,
    Formula: _formula,
    Cloze: _cloze,
    Bug: _bug,
}
