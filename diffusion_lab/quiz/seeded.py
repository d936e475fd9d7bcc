"""Small seeded choices, without the cost of importing `random`: one seed, one card, on every machine."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


class Seeded:
    """SplitMix64 (Steele, Lea and Flood 2014), started from a number and a text such as a card id."""

    def __init__(self, seed: int, text: str = "") -> None:
        self._state = seed & _MASK
        for byte in text.encode("utf-8", "surrogatepass"):
            self._state = self._next() ^ byte

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = (self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return self._next() % count

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in a seeded order (Fisher and Yates)."""
        order = list(items)
        for place in range(len(order) - 1, 0, -1):
            other = self.below(place + 1)
            order[place], order[other] = order[other], order[place]
        return order
