"""Reads a name with its accents and subscripts: \\hat{x}_0, x̂₀, x0_hat, alpha-bar_{t-1}, abar[t]."""

import re
import unicodedata

from diffusion_lab.quiz.formulas.names import (
    ACCENT_WORDS,
    FUNCTIONS,
    LETTERS,
    LOWERED,
    MARKS,
    FormulaError,
    Name,
    Names,
    name,
    subscript,
)
from diffusion_lab.quiz.latex.symbols import ACCENTS
from diffusion_lab.quiz.text import clean

PIECE = re.compile(
    r"(?P<space>\s+|(?:np|jnp|numpy|torch|math)\.(?=[a-z]))|(?P<num>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)|(?P<tex>\\[A-Za-z]+|\\.)"
    r"|(?P<word>[A-Za-z]+[0-9]*(?:hat|bar|tilde)?)|(?P<op>\*\*|\|\||.)",
    re.DOTALL,
)
UPRIGHT = frozenset(
    ["\\mathrm", "\\text", "\\operatorname", "\\mathbf", "\\boldsymbol", "\\bm", "\\mathit", "\\mathcal"]
)


def decomposed(text: str) -> str:
    """The text with marks apart from their letters, and bold, script and double-struck letters plain."""
    plain = (unicodedata.normalize("NFKC", c) if "\U0001d400" <= c <= "\U0001d7ff" else c for c in text)
    return unicodedata.normalize("NFD", "".join(plain))


def declared(text: str) -> Name:
    """The name that a text spells, with its accents and subscripts. FormulaError: it spells no name."""
    reader = NameReader(decomposed(text.strip()), Names({}, {}, {}))
    match = PIECE.match(reader.text)
    if match and match["tex"] and match.group()[1:] in ACCENTS:
        reader.at = match.end()
        found = reader.argument(accent_word(match.group()))
    else:
        found = reader.bare()
    found = reader.modified(found)
    if reader.at < len(reader.text):
        raise FormulaError(f"`{clean(text)}` is no name of a symbol", reader.at)
    return found


def accent_word(command: str) -> str:
    """bar for \\bar and \\overline, hat for \\widehat."""
    return command[1:].removeprefix("wide").replace("overline", "bar")


class NameReader:
    """A place in a text, and the names that can be read there."""

    def __init__(self, text: str, names: Names) -> None:
        self.text, self.names, self.at = text, names, 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def argument(self, accent: str) -> Name:
        """The name under an accent or in a font: \\bar\\alpha, \\hat{x}, \\mathbf x."""
        while self.peek() == " ":
            self.at += 1
        found = declared(self.balanced("{", "}")) if self.peek() == "{" else self.bare()
        return found._replace(accents=(*found.accents, accent)) if accent else found

    def bare(self) -> Name:
        """The letter or word here, without what may follow it."""
        match = PIECE.match(self.text, self.at)
        piece = match.group() if match else ""
        word = LETTERS.get(piece, piece.lstrip("\\"))
        if not word.isalnum() or word.isdigit():
            raise FormulaError("a letter is missing here", self.at)
        self.at += len(piece)
        return name(word)

    def balanced(self, opening: str, closing: str) -> str:
        """The text between the bracket here and its partner; the place moves behind it."""
        depth = 0
        for place in range(self.at, len(self.text)):
            depth += (self.text[place] == opening) - (self.text[place] == closing)
            if depth == 0:
                inside = self.text[self.at + 1 : place]
                self.at = place + 1
                return inside
        raise FormulaError(f"`{closing}` is missing", len(self.text))

    def modified(self, found: Name) -> Name:
        """The name with the accents, subscripts and index that follow it."""
        accents, subs = list(found.accents), list(found.subs)
        while letter := self.peek():
            accent = self.accent(letter)
            if accent:
                accents.append(accent)
            elif letter == "_":
                self.at += 1
                if found.key in FUNCTIONS and not self.peek().isdigit():
                    break
                subs.append(self.subscript())
            elif letter in LOWERED:
                subs.append(self.lowered())
            elif letter == "[" and (index := self.index(name(found.base, (*subs,), (*accents,)))):
                subs.append(index)
            else:
                break
        return name(found.base, tuple(subs), tuple(accents))

    def accent(self, letter: str) -> str:
        """A combining mark, a prime, or -bar as in alpha-bar; '' if none stands here."""
        dash = next((a for a in ACCENT_WORDS if self.text.startswith("-" + a, self.at)), "")
        if letter in MARKS or letter in "'′":
            self.at += 1
            return MARKS.get(letter, "prime")
        self.at += len(dash) + 1 if dash else 0
        return dash

    def lowered(self) -> str:
        """A run of small letters below the line."""
        start = self.at
        while self.peek() in LOWERED and self.peek():
            self.at += 1
        return subscript(self.text[start : self.at])

    def subscript(self) -> str:
        """What stands after an underscore."""
        if self.peek() in ("{", "("):
            return subscript(self.balanced(self.peek(), "}" if self.peek() == "{" else ")"))
        match = re.match(r"[A-Za-z0-9]+|\\[A-Za-z]+|.", self.text[self.at :], re.DOTALL)
        if match is None:
            raise FormulaError("a subscript is missing after `_`", self.at)
        self.at += match.end()
        if match.group() in UPRIGHT and self.peek() == "{":
            return subscript(self.balanced("{", "}"))
        return subscript(match.group().lstrip("\\"))

    def index(self, found: Name) -> str:
        """t in abar[t], if that makes a symbol of the card; else nothing is read."""
        end = self.text.find("]", self.at)
        inside = subscript(self.text[self.at + 1 : end]) if end > 0 else ""
        if inside and found.key + inside in self.names.symbols:
            self.at = end + 1
            return inside
        return ""
