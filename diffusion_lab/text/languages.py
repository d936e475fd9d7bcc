"""Small languages in which every sentence can be checked, and whose entropy is known.

A language is a finite set of sentences, all equally likely, so that -log p of a perfect model is ln(their
number). One tenth is held out of training: a model that writes those has learnt the rule, not the list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from math import log
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from ..seeds import rng_at
from .tokens import Alphabet

HELD_OUT = 0.1


class Verdict(NamedTuple):
    """Whether a text belongs to a language, and if not, why."""

    valid: bool
    why: str = ""


@dataclass(frozen=True)
class Language:
    """All sentences of a language, and how to judge a text that may not be one."""

    name: str
    sentences: tuple[str, ...]
    alphabet: Alphabet
    check: Callable[[str], Verdict]

    @cached_property
    def length(self) -> int:
        """Symbols in the longest sentence, and one END."""
        return 1 + max(len(self.alphabet.split(s)) for s in self.sentences)

    def rows(self, split: str = "train") -> Int[Tensor, "n l"]:
        """Token ids of the sentences that are for training or held out ("test")."""
        order = torch.randperm(len(self.sentences), generator=rng_at(self.name, 0, 0)).tolist()
        n = round(HELD_OUT * len(order))
        chosen = {"train": order[n:], "test": order[:n]}[split]
        return self.alphabet.rows([self.sentences[i] for i in chosen], self.length)

    @property
    def entropy(self) -> float:
        """Nats per sentence of the law that training draws from."""
        return log(len(self.sentences) - round(HELD_OUT * len(self.sentences)))

    def valid(self, texts: list[str]) -> float:
        """The share of texts that are sentences."""
        return sum(self.check(text).valid for text in texts) / len(texts)


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)


def in_words(day: date) -> str:
    """9 oct 2026"""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def named(text: str) -> date | str:
    """The day that "9 oct 2026" names, or why there is none."""
    words = text.split(" ")
    if len(words) != 3 or words[1] not in MONTHS:
        return f"{text!r} does not read: day month year"
    try:
        day = date(int(words[2]), MONTHS.index(words[1]) + 1, int(words[0]))
    except ValueError:
        return f"there is no {text}"
    if not FIRST <= day <= LAST:
        return f"{day.year} lies outside {FIRST.year} to {LAST.year}"
    return day if in_words(day) == text else f"write {in_words(day)}, not {text}"


def check_date(text: str) -> Verdict:
    """A day that exists, spelled twice: 9 oct 2026 = 2026-10-09."""
    left, sign, right = text.partition(" = ")
    day = named(left) if sign else f"{text!r} does not read: day month year = year-month-day"
    if isinstance(day, str):
        return Verdict(False, day)
    same = right == day.isoformat()
    return Verdict(same, "" if same else f"{left} is {day.isoformat()}, not {right}")


def check_weekday(text: str) -> Verdict:
    """A day that exists, after its own weekday: fri 9 oct 2026."""
    weekday, _, rest = text.partition(" ")
    if weekday not in DAYS:
        return Verdict(False, f"{weekday!r} is no weekday")
    day = named(rest)
    if isinstance(day, str):
        return Verdict(False, day)
    same = DAYS[day.weekday()] == weekday
    return Verdict(same, "" if same else f"{rest} is a {DAYS[day.weekday()]}, not a {weekday}")


def every_day() -> list[date]:
    """From FIRST to LAST."""
    return [FIRST + timedelta(i) for i in range((LAST - FIRST).days + 1)]


@cache
def dates() -> Language:
    """Every day of four years in two spellings, by characters: the easy language. Its rule is to copy."""
    sentences = tuple(f"{in_words(day)} = {day.isoformat()}" for day in every_day())
    return Language("dates", sentences, Alphabet.of(sentences), check_date)


@cache
def weekdays() -> Language:
    """Every day of four years after its weekday, by words. Its rule is a sum modulo 7: short and hard."""
    sentences = tuple(f"{DAYS[day.weekday()]} {in_words(day)}" for day in every_day())
    return Language("weekdays", sentences, Alphabet.of(sentences, " "), check_weekday)


SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS = [*SMALL, *(f"{tens} {unit}".removesuffix(" zero") for tens in TENS for unit in SMALL[:10])]


def check_sum(text: str) -> Verdict:
    """NUMBER plus or minus NUMBER is NUMBER, both terms of two digits, and true."""
    left, is_, right = text.partition(" is ")
    sign = " plus " if " plus " in left else " minus "
    first, found, second = left.partition(sign)
    if not (is_ and found):
        return Verdict(False, "it does not read: number plus or minus number is number")
    for number in (first, second, right):
        if number not in NUMBERS:
            return Verdict(False, f"{number!r} is no number below one hundred")
    a, b, c = map(NUMBERS.index, (first, second, right))
    if min(a, b) < 10:
        return Verdict(False, f"{NUMBERS[min(a, b)]} has one digit")
    true, shown = (a + b, f"{a} + {b}") if sign == " plus " else (a - b, f"{a} - {b}")
    return Verdict(true == c, "" if true == c else f"{shown} is {true}, not {c}")


@cache
def arithmetic() -> Language:
    """Sums and differences of two-digit numbers that stay between 0 and 99, by words: the hard language."""
    terms = range(10, 100)
    sums = [
        f"{NUMBERS[a]} plus {NUMBERS[b]} is {NUMBERS[a + b]}" for a in terms for b in terms if a + b < 100
    ]
    rest = [f"{NUMBERS[a]} minus {NUMBERS[b]} is {NUMBERS[a - b]}" for a in terms for b in terms if a >= b]
    sentences = (*sums, *rest)
    return Language("arithmetic", sentences, Alphabet.of(sentences, " "), check_sum)


LANGUAGES: dict[str, Callable[[], Language]] = {
    "dates": dates,
    "weekdays": weekdays,
    "arithmetic": arithmetic,
}
