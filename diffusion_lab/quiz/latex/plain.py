"""Rendered mathematics in ASCII, for terminals without Greek: √ᾱₜ x₀ becomes sqrt(alpha_bar_t) x_0."""

import unicodedata

from diffusion_lab.quiz.latex.symbols import ACCENTS, GREEK, SUBSCRIPTS, SUPERSCRIPTS

_LETTERS = {letter: name for name, letter in GREEK.items() if not name.startswith("var")} | {"ε": "eps"}
_MARKS = {mark: f"_{name}" for name, mark in ACCENTS.items() if not name.startswith(("wide", "over"))}
_LOW = {small: letter for letter, small in SUBSCRIPTS.items()}
_HIGH = {small: letter for letter, small in reversed(SUPERSCRIPTS.items()) if small not in "*′"}
_SIGNS = {
    "−": "-", "–": "-", "—": "--", "×": "x", "·": "*", "∑": "sum", "∏": "prod", "∫": "int", "∇": "grad ",
    "∂": "d", "∞": "inf", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~=", "∼": "~", "≃": "~=", "≡": "==",
    "→": "->", "←": "<-", "⇒": "=>", "⇔": "<=>", "↔": "<->", "↦": "|->", "∈": "in", "∉": "not in",
    "∝": "prop. to", "‖": "||", "′": "'", "∅": "null", "±": "+-", "⊙": "*", "∘": "o", "≪": "<<",
    "≫": ">>", "⟨": "<", "⟩": ">", "“": '"', "”": '"', "‘": "'", "’": "'", "∛": "cbrt", "✓": "v",
    "✗": "x", "•": "*", "°": " deg",
}  # fmt: skip


def to_ascii(text: str) -> str:
    """The text in ASCII alone. What has no ASCII form becomes ?."""
    if text.isascii():
        return text
    reader = _Reader(unicodedata.normalize("NFD", text))
    while reader.at < len(reader.text):
        reader.step()
    return "".join(reader.out)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.out: list[str] = []

    def step(self) -> None:
        letter = self.text[self.at]
        self.at += 1
        if letter == "√":
            self.root()
        elif letter in _LOW or letter in _HIGH:
            self.script("_" if letter in _LOW else "^", _LOW if letter in _LOW else _HIGH)
        elif letter in _MARKS:
            self.out.append("" if self.in_word() else _MARKS[letter])
        else:
            self.add(_LETTERS.get(letter) or _SIGNS.get(letter) or _nearest(letter))

    def in_word(self) -> bool:
        """Whether the mark just read stands in a word, as in naïve, and not on a symbol."""
        around = self.text[max(self.at - 3, 0) : self.at - 2] + self.text[self.at : self.at + 1]
        return self.text[self.at - 2].isascii() and any(c.isascii() and c.isalpha() for c in around)

    def add(self, word: str) -> None:
        """A word, parted from a name or script before it."""
        before = self.out[-1] if self.out else ""
        if (
            len(before + word) > 2
            and before[-1:].isalnum()
            and word[:1].isalpha()
            and not _plain(before, word)
        ):
            self.out.append(" ")
        self.out.append(word)

    def script(self, mark: str, letters: dict[str, str]) -> None:
        """A run of small letters: _t, _(t-1), ^2."""
        self.at -= 1
        run = ""
        while self.at < len(self.text) and self.text[self.at] in letters:
            run += letters[self.text[self.at]]
            self.at += 1
        run = "".join(_LETTERS.get(letter, letter) for letter in run).replace("−", "-")
        self.out.append(mark + (run if run.isalnum() else f"({run})"))

    def root(self) -> None:
        """√(x) stays a function; √x gets its brackets: they end with the scripts of the letter."""
        if self.text[self.at : self.at + 1] == "(":
            self.add("sqrt")
            return
        self.add("sqrt(")
        if self.at < len(self.text):
            self.step()
        while self.at < len(self.text) and self.text[self.at] in {**_LOW, **_HIGH, **_MARKS}:
            self.step()
        while self.at < len(self.text) and self.text[self.at].isdigit() and self.text[self.at - 1].isdigit():
            self.step()
        self.out.append(")")


def _plain(before: str, word: str) -> bool:
    """Whether both are single ordinary letters or digits, as inside a word."""
    return len(before) == 1 and len(word) == 1


def _nearest(letter: str) -> str:
    if letter.isascii():
        return letter
    plain = unicodedata.normalize("NFKD", letter)
    if plain != letter and plain[0] in _LETTERS:
        return _LETTERS[plain[0]]
    kept = "".join(c for c in plain if c.isascii())
    return kept or ("" if unicodedata.combining(letter) else "?")
