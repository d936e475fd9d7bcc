"""Errors are sentences: what was given, what was expected, what to do."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def lookup(name: str, table: Mapping[str, T], what: str) -> T:
    """table[name], or a sentence that suggests the nearest name."""
    if name in table:
        return table[name]
    from difflib import get_close_matches  # 5 ms that only a mistake has to pay

    near = get_close_matches(name, table, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"there is no {what} {name!r}: {hint or 'choose one.'} Known: {', '.join(table)}.")
