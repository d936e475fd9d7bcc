"""Prose as a corpus: a text file, a folder of pages and notebooks, or a file from the net with a checksum."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from ..data import Share
from ..data.download import Remote, fetch
from ..seeds import rng_at
from ..training import Batches
from .languages import Verdict
from .tokens import Alphabet

KEPT = "abcdefghijklmnopqrstuvwxyz0123456789 .,:;?!'()-=\n"
"""Characters of plain prose: capitals become small, everything else a space."""


@dataclass(frozen=True)
class Prose:
    """A long text that is cut into windows of `length` characters."""

    text: str
    length: int = 64

    def __post_init__(self) -> None:
        if len(self.text) <= self.length:
            raise ValueError(
                f"the corpus has {len(self.text)} characters: windows of {self.length} need more. "
                "Give a longer text, or a smaller length."
            )

    @cached_property
    def alphabet(self) -> Alphabet:
        """The characters that occur."""
        return Alphabet.of([self.text])

    @cached_property
    def words(self) -> frozenset[str]:
        """What counts as a word: whatever occurs."""
        return frozenset(self.text.split())

    def rows(self, split: str = "train") -> Int[Tensor, "n l"]:
        """Windows that overlap by half; the last tenth of the text is the "test" split."""
        edge = int(0.9 * len(self.text))
        part = {"train": self.text[:edge], "test": self.text[edge:]}[split]
        ids = torch.tensor(self.alphabet.encode(part))
        if len(ids) < self.length:
            raise ValueError(
                f"the {split!r} tenth of this corpus is shorter than one window of {self.length}."
            )
        return ids.unfold(0, self.length, max(1, self.length // 2))

    def check(self, text: str) -> Verdict:
        """Every whole word occurs in the corpus; the first and the last may be cut."""
        unknown = [word for word in text.split()[1:-1] if word not in self.words]
        return Verdict(not unknown, f"no words: {', '.join(unknown)}" if unknown else "")

    def real_words(self, texts: list[str]) -> float:
        """The share of whole words that occur in the corpus."""
        words = [word for text in texts for word in text.split()[1:-1]]
        return sum(word in self.words for word in words) / max(1, len(words))


def prose(path: Path | str, length: int = 64) -> Prose:
    """A text file, a page (.md), a notebook (its Markdown cells), or all of these under a folder."""
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: give a text file, or a folder of pages and notebooks.")
    found = (f for f in path.rglob("*") if f.suffix in READERS and "_build" not in f.parts)
    files = sorted(found) if path.is_dir() else [path]
    texts = [plain(READERS.get(file.suffix, read_text)(file)) for file in files]
    if not any(texts):
        raise ValueError(f"{path} holds no text: {', '.join(READERS)} files are read.")
    return Prose("\n".join(texts), length)


def downloaded(url: str, sha256: str, length: int = 64) -> Prose:
    """A text file from the net, refused unless its checksum is the one given."""
    return prose(fetch(Remote(url, sha256), "text"), length)


def read_text(file: Path) -> str:
    """UTF-8, or a sentence."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 text: convert it first ({error.reason}).") from error


def read_notebook(file: Path) -> str:
    """The Markdown cells, or a sentence."""
    try:
        cells = json.loads(read_text(file))["cells"]
    except (json.JSONDecodeError, KeyError) as error:
        raise ValueError(f"{file} is no notebook: it holds no JSON with cells.") from error
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


READERS = {".md": read_text, ".txt": read_text, ".ipynb": read_notebook}


MARKUP = re.compile(r"^\s*(:::|:[a-z]|---|\||%|<|\(.*\)=$|#+\s*$)")
"""Lines of a page that are no prose: fences, options, rules, tables, comments, labels."""


def plain(text: str) -> str:
    """Small letters, KEPT characters, single spaces; no code, formulas or markup."""
    for fence in ("```", "$$", "$"):
        text = " ".join(text.split(fence)[::2])
    lines = (line for line in text.lower().splitlines() if not MARKUP.match(line))
    words = (" ".join("".join(c if c in KEPT else " " for c in line).split()) for line in lines)
    return "\n".join(line for line in words if line)


def drawn(rows: Int[Tensor, "n l"], share: Share, seed: int, device: torch.device | str = "cpu") -> Batches:
    """step -> a batch of rows drawn with replacement; a pure function of the step, as `Trainer` wants."""
    if not len(rows):
        raise ValueError("the corpus is empty: give at least one row of tokens.")
    rows = rows.to(device)

    def batch(step: int) -> tuple[Tensor, None]:
        own = share.rows(step)
        pick = torch.randint(len(rows), (share.batch,), generator=rng_at("draw", seed, step))
        start = own.start - step * share.batch
        return rows[pick[start : start + len(own)].to(device)], None

    return batch
