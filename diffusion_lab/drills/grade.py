"""Is it the answer? If not, which mistake gives exactly these values?

A guard for the learner's own code, not a sandbox: it runs in this process.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .drill import Answer, Drill


class Verdict(NamedTuple):
    """What `grade` found. mistake: the known one, or None."""

    passed: bool
    message: str
    mistake: str | None = None
    tried: bool = True


class Raised(NamedTuple):
    """An error in place of a value."""

    error: Exception


def grade(drill: Drill, fn: Answer) -> Verdict:
    """Compare a function with the answer on every case, and with every known mistake if it differs."""
    got = outcomes(drill, fn)
    if any(isinstance(value, Raised) and isinstance(value.error, NotImplementedError) for value in got):
        return Verdict(False, "not written yet.", tried=False)
    expected = outcomes(drill, drill.answer)
    if all(map(same, got, expected)):
        return Verdict(True, "passed.")
    for sentence, wrong in drill.mistakes.items():
        if all(map(same, got, outcomes(drill, wrong))):
            return Verdict(False, sentence, sentence)
    case = next(n for n, (g, e) in enumerate(zip(got, expected)) if not same(g, e))
    return Verdict(False, f"on case {case + 1} of {len(got)}, {difference(got[case], expected[case])}")


def outcomes(drill: Drill, fn: Answer) -> list[Any]:
    """What fn returns, or raises, on each case; every call gets fresh arguments."""
    return [outcome(fn, args) for args in drill.cases()]


def outcome(fn: Answer, args: Sequence[Any]) -> Any:
    """One value; changing an argument in place counts as an error."""
    before = [arg.clone() if isinstance(arg, Tensor) else arg for arg in args]
    try:
        value = fn(*args)
    except Exception as error:
        return Raised(error)
    if any(isinstance(old, Tensor) and not torch.equal(old, now) for old, now in zip(before, args)):
        return Raised(ValueError("an argument was changed in place: make a new tensor instead"))
    return value


def same(a: Any, b: Any) -> bool:
    """Equal up to rounding, in kind, shape and value."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        tolerance = 1e-4 if a.dtype == torch.float32 else 1e-8
        return torch.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    if isinstance(a, Raised) or isinstance(b, Raised):
        return isinstance(a, Raised) and isinstance(b, Raised) and type(a.error) is type(b.error)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-9)  # a float of a float32 tensor is right, too
    return type(a) is type(b) and bool(a == b)


def difference(got: Any, expected: Any) -> str:
    """One sentence about a value that is no known mistake."""
    if isinstance(got, Raised):
        return f"it stops with {type(got.error).__name__}: {got.error}"
    if got is None:
        return "it returns nothing: is the `return` missing?"
    if isinstance(got, Tensor) and isinstance(expected, Tensor):
        if got.shape != expected.shape:
            return f"the shape is {tuple(got.shape)}, expected {tuple(expected.shape)}."
        if got.dtype != expected.dtype:
            return f"the values are {got.dtype}, expected {expected.dtype}."
        where = int((got - expected).abs().nan_to_num(math.inf).argmax())
        got, expected = got.flatten()[where].item(), expected.flatten()[where].item()
    if isinstance(got, (int, float)) and isinstance(expected, (int, float)):
        return f"it gives {got:.4g} where {expected:.4g} is expected; this is none of the known mistakes."
    if isinstance(got, (list, tuple)) and isinstance(expected, (list, tuple)) and len(got) == len(expected):
        return next(difference(g, e) for g, e in zip(got, expected) if not same(g, e))
    return f"it gives a {type(got).__name__} where a {type(expected).__name__} is expected."
