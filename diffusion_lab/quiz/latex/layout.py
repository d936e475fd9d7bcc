"""From the pieces of a formula to one line of Unicode: spaces, brackets, small letters above and below.

The rule of the room: what is printed must read as the formula that was meant. Where Unicode has no small
letter, or a bar would lose its end, words and brackets appear: x_(t,θ), e^(−λ/2), (ε_θ)².
"""

import unicodedata
from typing import NamedTuple

from diffusion_lab.quiz.latex.symbols import SUBSCRIPTS, SUPERSCRIPTS

# How tightly a text holds together. A denominator must be an ATOM, a numerator a PRODUCT; else brackets come.
ATOM, PRODUCT, APPLIED, SUM = 3, 2, 1, 0
_SMALL = frozenset([*SUBSCRIPTS.values(), *SUPERSCRIPTS.values()])


class Piece(NamedTuple):
    """A text and its part in the line.

    part: ord, word, text, func, big, bin, rel, punct, open, close, bar, slash, space, frac, group, rows.
    end: "root" or "script" when a letter that follows must stand apart, so as not to be read as part of it.
    """

    text: str
    part: str
    level: int = ATOM
    end: str = ""


class Box(NamedTuple):
    """A finished line, how tightly it holds together, and how it ends (as in Piece)."""

    text: str
    level: int
    end: str = ""


def grouped(box: Box) -> Piece:
    """A finished line as one piece of a longer one, as braces make it."""
    return Piece(box.text, "group", box.level, box.end)


def bracketed(box: Box, least: int) -> str:
    """The text, in brackets if it holds together less tightly than `least`."""
    return box.text if box.level >= least else f"({box.text})"


def join(pieces: list[Piece]) -> Box:
    """One line from pieces. TeX ignores spaces, so operators, relations and functions get theirs here."""
    out: list[str] = []
    before: Piece | None = None
    for place, piece in enumerate(pieces):
        if piece.part == "bin" and (before is None or before.part in _STARTS):
            piece = piece._replace(part="sign")
        if piece.part == "frac" and not _stands_alone(pieces, place):
            piece = piece._replace(text=f"({piece.text})", part="ord", level=ATOM)
        if before is not None and out and not out[-1].endswith(" "):
            out.append(_gap(before, piece))
        crowded = piece.part == "space" and bool(out) and out[-1].endswith(" ")
        out.append(piece.text[1:] if crowded else piece.text)
        if piece.part in ("bin", "rel", "punct"):
            out.append(" ")
        if piece.part != "space":
            before = piece
    text = "".join(out)
    if before is not None and before.part != "text":
        text = text.rstrip(" ")
    return Box(text, _level(pieces), before.end if before is not None else "")


_STARTS = frozenset(["bin", "sign", "rel", "open", "punct", "big", "func", "slash"])
_NO_SPACE_BEFORE = frozenset(["punct", "close", "space", "text"])
_NO_SPACE_AFTER = frozenset(["open", "sign", "space", "text", "slash"])
_ALONE_AFTER = frozenset(["bin", "sign", "rel", "punct", "open", "bar", "text"])
_ALONE_BEFORE = frozenset(["bin", "rel", "punct", "close", "bar", "text"])


def _stands_alone(pieces: list[Piece], place: int) -> bool:
    """Whether a/b needs no brackets here: nothing beside it could be read as part of it."""
    left = next((p for p in reversed(pieces[:place]) if p.part != "space"), None)
    right = next((p for p in pieces[place + 1 :] if p.part != "space"), None)
    return (left is None or left.part in _ALONE_AFTER) and (right is None or right.part in _ALONE_BEFORE)


def _gap(left: Piece, right: Piece) -> str:
    """The space between neighbours."""
    if right.part in ("bin", "rel"):
        return " "
    if right.part in _NO_SPACE_BEFORE or left.part in _NO_SPACE_AFTER:
        return ""
    if left.part == "func":
        return "" if right.part == "open" else " "
    if left.part == "big" or right.part in ("func", "big"):
        return "" if left.part == "bar" else " "
    if left.end == "root":
        return "" if right.part in ("bar", "slash") else " "
    if (left.end == "script" or left.part == "word") and right.part in ("ord", "word", "group", "frac"):
        return " "
    follows = left.part == "close" or (left.part in ("ord", "group") and left.text[-1:].isalnum())
    return " " if right.part == "word" and follows else ""


def _level(pieces: list[Piece]) -> int:
    """How tightly the joined pieces hold together, seen from outside: what is in brackets does not count."""
    depth, atoms, level, digits = 0, 0, ATOM, False
    inside: set[str] = set()
    pairs = _paired_bars(pieces)
    for piece in pieces:
        if piece.part == "bar" and depth <= 0:
            inside ^= {piece.text[0]}
            atoms += piece.text[0] in inside
            level = level if piece.text[0] in pairs else SUM
        elif piece.part == "close":
            depth -= 1
        elif depth <= 0 and not inside and piece.part != "space":
            number = piece.part == "ord" and (piece.text.isdigit() or piece.text == ".")
            atoms += not (number and digits)
            digits = number
            level = min(level, _own_level(piece))
        depth += piece.part == "open"
    return min(level, PRODUCT) if atoms > 1 else level


def _paired_bars(pieces: list[Piece]) -> set[str]:
    """The bars, | or ‖, that come in pairs outside all brackets: |x| pairs, q‖p does not."""
    depth, count = 0, {"|": 0, "‖": 0}
    for piece in pieces:
        depth += (piece.part == "open") - (piece.part == "close")
        if piece.part == "bar" and depth <= 0:
            count[piece.text[0]] += 1
    return {bar for bar, times in count.items() if times % 2 == 0}


def _own_level(piece: Piece) -> int:
    if piece.part == "bin":
        return PRODUCT if piece.text in "×·⊙∘⊗∗" else SUM
    if piece.part in ("rel", "punct", "text", "rows"):
        return SUM
    return APPLIED if piece.part in ("func", "big", "slash", "frac") else piece.level


def scripted(base: Piece, below: str | None, above: str | None) -> Piece:
    """base with its subscript and superscript. A power of a long subscript gets brackets: (ε_θ)²."""
    text, end = base.text, base.end
    limits = base.part in ("big", "func")
    if base.level < ATOM or base.part in ("frac", "text") or base.end == "root":
        text, end = f"({text})", ""
    if below is not None:
        small = _small(below, SUBSCRIPTS)
        text += small or "_" + _held(below)
        end = "" if small else "script"
    if above is not None:
        if end and not limits:
            text, end = f"({text})", ""
        small = _small(above, SUPERSCRIPTS)
        text += small or "^" + _held(above)
        end = end if small else "script"
    part = base.part if base.part in ("big", "func", "close", "bar", "bin", "rel") else "ord"
    return Piece(text, part, ATOM, end)


def _small(text: str, letters: dict[str, str]) -> str:
    """The text in small letters; '' when one is missing, or when it is a word, unreadable when small."""
    if text.isascii() and text.isalpha() and len(text) > 2:
        return ""
    if any(letter not in letters for letter in text):
        return ""
    return "".join(letters[letter] for letter in text)


def _held(script: str) -> str:
    """A script in full-size letters, in brackets unless it is one symbol, one number or one word."""
    plain = unicodedata.normalize("NFD", script)
    symbols = sum(not unicodedata.combining(letter) for letter in plain)
    whole = symbols == 1 or (script.isascii() and script.replace(" ", "").isalnum()) or script in ("−1", "∞")
    return script if whole and " " not in script else f"({script})"


def accented(box: Box, mark: str, name: str) -> Box:
    """box with a mark over its letter. Over several letters a mark would end too early: then bar(x + y)."""
    text = unicodedata.normalize("NFD", box.text)
    cut = 1
    while cut < len(text) and unicodedata.combining(text[cut]):
        cut += 1
    if text[:1].isalnum() and all(letter in _SMALL for letter in text[cut:]):
        return Box(unicodedata.normalize("NFC", text[:cut] + mark + text[cut:]), ATOM)
    return Box(f"{name}({box.text})", ATOM)


def fraction(top: Box, bottom: Box) -> Piece:
    """a/b with the brackets it needs inside; `join` adds those outside. Derivatives stay: d/dt."""
    if _is_derivative(top, bottom):
        bottom = bottom._replace(level=ATOM)
    return Piece(f"{bracketed(top, PRODUCT)}/{bracketed(bottom, ATOM)}", "frac", APPLIED)


def _is_derivative(top: Box, bottom: Box) -> bool:
    """Whether this is d.../dt or ∂.../∂x, with one letter and its scripts behind the lower sign."""
    sign = bottom.text[:1]
    letter = bottom.text[1:]
    one_letter = bool(letter) and "(" not in accented(Box(letter, ATOM), "", "").text
    return sign in ("d", "∂") and top.text.startswith(sign) and one_letter


def root(box: Box, index: str) -> Piece:
    """√x or √(x + y), with a small index for other roots."""
    small = _small(index, SUPERSCRIPTS) or f"[{index}]"
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(index, f"{small}√")
    return Piece(sign + bracketed(box, ATOM), "ord", ATOM, "root")
