"""Text to token ids and back: by characters, or by words. No merges, no files: an alphabet is a tuple."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

END = 0
"""Id that ends a text and fills the rest of its row."""


@dataclass(frozen=True)
class Alphabet:
    """Symbol number i has id i + 1; id 0 is the end, and a masked process adds id `size` for its mask.

    gap: what stands between symbols in a text, "" for characters and " " for words.
    """

    symbols: tuple[str, ...]
    gap: str = ""

    @classmethod
    def of(cls, texts: Iterable[str], gap: str = "") -> "Alphabet":
        """Every symbol that occurs, in sorted order."""
        found = {symbol for text in texts for symbol in (text.split(gap) if gap else text)}
        if not found:
            raise ValueError("the corpus is empty: an alphabet needs at least one text with one symbol.")
        return cls(tuple(sorted(found)), gap)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Symbol -> id."""
        return {symbol: i for i, symbol in enumerate(self.symbols, 1)}

    @property
    def size(self) -> int:
        """Symbols and the end."""
        return len(self.symbols) + 1

    def split(self, text: str) -> list[str]:
        """The symbols of a text."""
        return text.split(self.gap) if self.gap else list(text)

    def encode(self, text: str) -> list[int]:
        """Ids, without an end. An unknown symbol is a ValueError that says which and where."""
        symbols = self.split(text)
        for place, symbol in enumerate(symbols):
            if symbol not in self.ids:
                kind = "word" if self.gap else "character"
                raise ValueError(
                    f"{kind} {place + 1} of {shortened(text)!r} is {symbol!r}, which is not among "
                    f"the {len(self.symbols)} of this alphabet: replace it, or build one from your own text."
                )
        return [self.ids[symbol] for symbol in symbols]

    def rows(self, texts: Sequence[str], length: int) -> Int[Tensor, "n length"]:
        """One row per text, filled up with END. A text of more than `length` symbols is refused."""
        ids = [self.encode(text) for text in texts]
        for text, row in zip(texts, ids):
            if len(row) > length:
                raise ValueError(
                    f"{shortened(text)!r} has {len(row)} symbols and the rows {length}: shorten the text, or "
                    "give longer rows."
                )
        full = [row + [END] * (length - len(row)) for row in ids]
        return torch.tensor(full, dtype=torch.long).reshape(len(texts), length)

    def text(self, row: Int[Tensor, "l"]) -> str:
        """What stands before the first END; a masked token reads "_"."""
        ids = row.tolist()
        return self.gap.join(map(self.symbol, ids[: ids.index(END)] if END in ids else ids))

    def texts(self, rows: Int[Tensor, "n l"]) -> list[str]:
        """`text` of every row."""
        return [self.text(row) for row in rows]

    def show(self, row: Int[Tensor, "l"]) -> str:
        """The whole row: "_" for the mask, "." in the middle of the line for the end."""
        return self.gap.join(map(self.symbol, row.tolist()))

    def symbol(self, i: int) -> str:
        """One id, readable."""
        if i == END:
            return "\u00b7"
        return self.symbols[i - 1] if i < self.size else "_"


def shortened(text: str, most: int = 40) -> str:
    """For messages."""
    return text if len(text) <= most else text[: most - 3] + "..."
