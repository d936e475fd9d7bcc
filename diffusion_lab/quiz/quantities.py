"""Reads a typed number: 0.25, 1/4, 25 %, 2.5e-1, 10^-3, 1,000, 860M, 3 ms. NaN and infinity are refused."""

import math
import re
import unicodedata
from typing import NamedTuple

from diffusion_lab.quiz.formulas.names import FormulaError, Names
from diffusion_lab.quiz.formulas.parser import parse
from diffusion_lab.quiz.formulas.trees import value

# Units of one kind convert into each other: unit -> (kind, size).
_TIME = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = (
    {"B": 1.0}
    | {prefix + "B": 1000.0**n for n, prefix in enumerate(("k", "M", "G", "T", "P"), 1)}
    | {prefix + "iB": 1024.0**n for n, prefix in enumerate(("K", "M", "G", "T"), 1)}
)
_FLOPS = {prefix + "FLOPs": 1000.0**n for n, prefix in enumerate(("", "k", "M", "G", "T", "P", "E"))}
_BITS = {"bits": 1.0, "nats": 1 / math.log(2)}
_PER_DIM = {"bits/dim": 1.0, "nats/dim": 1 / math.log(2)}
UNITS = {
    unit: (kind, size)
    for kind, table in enumerate((_TIME, _BYTES, _FLOPS, _BITS, _PER_DIM, {"%": 0.01, "": 1.0}))
    for unit, size in table.items()
}
SPELLED = {
    "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "mins": "min",
    "hour": "h", "hours": "h", "hr": "h", "days": "d", "day": "d", "msec": "ms", "percent": "%",
    "bit": "bits", "nat": "nats", "byte": "B", "bytes": "B", "KB": "kB", "bpd": "bits/dim", "times": "x",
    "×": "x", "fold": "x", "flops": "FLOPs", "μs": "µs",
}  # fmt: skip
MULTIPLIERS = {
    "k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "G": 1e9, "B": 1e9, "bn": 1e9,
    "billion": 1e9, "T": 1e12, "trillion": 1e12,
}  # fmt: skip
_TAIL = re.compile(r"(.*?)\s*([A-Za-zµμ%×]+(?:/[A-Za-z]+)?)", re.DOTALL)
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:(?:[_' ]\d{3})+(?!\d)|(?:,\d{3})+(?![\d,]))")
_DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d+)(?![\d,.])")
_TIMES_TEN = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\b)")
LONGEST = 200


class NumberError(ValueError):
    """A number that cannot be read, as a sentence."""


class Reading(NamedTuple):
    """The number in the card's unit, and the unit that was typed ('' if none)."""

    number: float
    unit: str


def read(text: str, unit: str) -> Reading:
    """The number a person typed, in the card's unit. NumberError: it is none, or its unit does not fit."""
    if len(text) > LONGEST:
        raise NumberError(f"that is longer than a number is: {LONGEST} characters are the limit.")
    plain = (
        unicodedata.normalize("NFC", text)
        .replace("\u00a0", " ")
        .replace("\u202f", " ")
        .replace("\u2009", " ")
    )
    plain = plain.strip().lstrip("≈~=").strip().rstrip(".")
    if plain.lower().lstrip("+-−") in ("nan", "inf", "infinity", "infty", "∞"):
        raise NumberError("the answer is a finite number.")
    body, typed = _unit(plain, unit)
    number = _number(body) * _scale(typed, unit)
    if not math.isfinite(number):
        raise NumberError("the answer is a finite number.")
    return Reading(number, typed)


def _unit(plain: str, unit: str) -> tuple[str, str]:
    """(the number, its unit), where the text ends in a unit."""
    tail = _TAIL.fullmatch(plain)
    if not tail or not tail[1]:
        return plain, ""
    word = SPELLED.get(tail[2], tail[2])
    same = word.lower().rstrip("s") == unit.lower().rstrip("s")
    if same and unit:
        return tail[1], unit
    if word in MULTIPLIERS and UNITS.get(unit, ("", 0))[0] != 1:
        return plain, ""
    return (tail[1], word) if word in UNITS or word == "x" else (plain, "")


def _scale(typed: str, unit: str) -> float:
    """What one typed unit is in the card's unit. No unit typed means the card's."""
    if typed in ("", unit) or (typed == "x" and unit == ""):
        return 1.0
    kind, size = UNITS.get(typed, (-1, 1.0))
    wanted_kind, wanted = UNITS.get(unit, (-2, 1.0))
    if kind != wanted_kind:
        raise NumberError(
            f"the answer is wanted {f'in {unit}' if unit else 'without a unit'}, not in {typed}."
        )
    return size / wanted


def _number(text: str) -> float:
    factor = 1.0
    tail = _TAIL.fullmatch(text)
    if tail and tail[1] and tail[2] in MULTIPLIERS and tail[1][-1] in "0123456789. ":
        text, factor = tail[1], MULTIPLIERS[tail[2]]
    text = _THOUSANDS.sub(lambda m: re.sub(r"[,_' ]", "", m[0]), text.strip())
    text = _TIMES_TEN.sub("*", _DECIMAL_COMMA.sub(r"\1.\2", text))
    if not text:
        raise NumberError("type a number, such as 0.25, 1/4, 2^10 or 1e-3.")
    try:
        return value(parse(text, Names({}, {}, {}, power=400.0)), {}) * factor
    except FormulaError as error:
        raise NumberError(f"this is no number that can be read here: {error.message}.") from None
    except (ArithmeticError, ValueError):
        raise NumberError("this has no finite value.") from None
