"""Cuts a typed formula into tokens: plain ASCII, Unicode and a TeX subset come out the same."""

import math
import re
from typing import NamedTuple

from diffusion_lab.quiz.formulas.names import LETTERS, RAISED, FormulaError, Name, Names, name
from diffusion_lab.quiz.formulas.spellings import PIECE, UPRIGHT, NameReader, accent_word, decomposed
from diffusion_lab.quiz.latex.symbols import ACCENTS, GREEK
from diffusion_lab.quiz.text import clean, nearest

LONGEST = 400
OPERATORS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "⁄": "/", "**": "^", "||": "‖",
    "\\cdot": "*", "\\times": "*", "\\div": "/", "\\|": "‖", "\\lVert": "‖", "\\rVert": "‖", "\\Vert": "‖",
    "\\lvert": "|", "\\rvert": "|", "\\vert": "|", "\\mid": "|", "\\{": "(", "\\}": ")",
}  # fmt: skip
DROPPED = frozenset([
    "\\left", "\\right", "\\,", "\\;", "\\:", "\\!", "\\ ", "\\quad", "\\big", "\\Big", "\\bigl", "\\bigr",
    "\\Bigl", "\\Bigr", "\\bigg", "\\Bigg", "\\displaystyle", "\\limits", "~", "$",
])  # fmt: skip
_TWO_DIGITS = re.compile(r"\s*([0-9])\s*([0-9])")
_CONSTANTS = {"pi": math.pi, "e": math.e}
_LONGEST_WORD = 30
VULGAR = {"½": 0.5, "⅓": 1 / 3, "¼": 0.25, "¾": 0.75, "⅔": 2 / 3, "⅛": 0.125}


class Token(NamedTuple):
    """sort: num, const, sym, fn, op, end. `glued`: no space stands before it."""

    sort: str
    value: str
    column: int
    glued: bool


def tokens(text: str, names: Names) -> list[Token]:
    """The tokens of a formula. FormulaError: it is too long, or holds what the card has no symbol for."""
    if len(text) > LONGEST:
        raise FormulaError(f"the formula has {len(text)} characters; the limit is {LONGEST}", LONGEST)
    text = decomposed(text)
    for number, (phrase, _) in enumerate(names.phrases):
        text = re.sub(phrase, chr(0xE000 + number), text)
    cutter = _Cutter(text, names)
    while cutter.at < len(text):
        cutter.step()
    return [*cutter.found, Token("end", "", len(text), False)]


class _Cutter(NameReader):
    """Reads one token at a time."""

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(text, names)
        self.found: list[Token] = []
        self.glued = False

    def add(self, sort: str, value: str, column: int) -> None:
        self.found.append(Token(sort, value, column, self.glued))
        self.glued = True

    def step(self) -> None:
        match = PIECE.match(self.text, self.at)
        assert match is not None
        start, piece, sort = self.at, match.group(), match.lastgroup
        self.at = match.end()
        if sort == "space" or piece in DROPPED:
            self.glued = False
        elif sort == "num":
            self.add("num", piece, start)
        elif sort == "word":
            self.symbol(self.modified(name(piece)), start)
        elif piece in OPERATORS or (sort == "op" and piece in "+-*/^()[]{},|=!<>"):
            self.add("op", OPERATORS.get(piece, piece), start)
        elif sort == "tex":
            self.command(piece, start)
        else:
            self.letter(piece, start)

    def letter(self, letter: str, start: int) -> None:
        if letter in LETTERS:
            self.symbol(self.modified(name(LETTERS[letter])), start)
        elif letter in VULGAR:
            self.add("num", repr(VULGAR[letter]), start)
        elif letter in "√∛‖":
            self.add("op", letter, start)
        elif "\ue000" <= letter < chr(0xE000 + len(self.names.phrases)):
            self.add("sym", self.names.phrases[ord(letter) - 0xE000][1], start)
        elif letter in RAISED:
            self.raised(letter, start)
        else:
            raise FormulaError(f"`{clean(letter)}` has no meaning in a formula here", start)

    def raised(self, letter: str, start: int) -> None:
        """x⁻¹ as x^(-1)."""
        power = RAISED[letter]
        while self.peek() in RAISED and self.peek():
            power += RAISED[self.peek()]
            self.at += 1
        inner = tokens(power, self.names)[:-1]
        self.add("op", "^", start)
        self.found += [Token("op", "(", start, True), *inner, Token("op", ")", start, True)]

    def command(self, command: str, start: int) -> None:
        word = command[1:]
        if word in GREEK or word in ("ell", "emptyset", "varnothing"):
            self.symbol(self.modified(name(word)), start)
        elif word in ACCENTS:
            self.symbol(self.modified(self.argument(accent_word(command))), start)
        elif command in UPRIGHT:
            self.symbol(self.modified(self.argument("")), start)
        elif word in ("frac", "dfrac", "tfrac"):
            self.add("op", "frac", start)
            self.digits()
        elif word == "sqrt":
            self.add("op", "root", start)
        elif word in self.names.functions:
            self.add("fn", word, start)
        else:
            raise FormulaError(f"`{command}` is not known here", start)

    def digits(self) -> None:
        """TeX reads \\frac12 as one half: each digit is an argument."""
        match = _TWO_DIGITS.match(self.text, self.at)
        if match:
            self.add("num", match[1], match.start(1))
            self.add("num", match[2], match.start(2))
            self.at = match.end()

    def symbol(self, found: Name, start: int) -> None:
        """Add the token of a name: a symbol, function or constant, or several written as one word."""
        parts = [found] if self.sort(found) else self.split(found)
        if not parts:
            near = nearest(found.key, list(self.names.symbols))
            written = clean(self.text[start : self.at]).strip()
            raise FormulaError(f"`{written}` is no symbol of this card{'; ' + near if near else ''}", start)
        for part in parts:
            sort = self.sort(part)
            value = {"sym": self.names.symbols.get(part.key, ""), "const": repr(_CONSTANTS.get(part.key))}
            self.add(sort, value.get(sort, part.key), start)

    def sort(self, found: Name) -> str:
        """sym, fn or const; '' for an unknown name."""
        if found.key in self.names.symbols:
            return "sym"
        if found.key in self.names.functions:
            return "fn"
        return "const" if found.key in _CONSTANTS else ""

    def split(self, found: Name) -> list[Name]:
        """wv as w v, sigmateps as sigma_t eps; the longest known beginnings that leave nothing over."""
        word = found.base
        if not 2 <= len(word) <= _LONGEST_WORD:
            return []
        # The parts of each end of the word, or None; filled from the end, so that no search explodes.
        rest: list[list[Name] | None] = [None] * len(word)
        for start in range(len(word) - 1, -1, -1):
            last = name(word[start:], found.subs, found.accents)
            if self.sort(last):
                rest[start] = [last]
                continue
            for cut in range(len(word) - 1, start, -1):
                first, after = name(word[start:cut]), rest[cut]
                if after is not None and self.sort(first):
                    rest[start] = [first, *after]
                    break
        return rest[0] or []
