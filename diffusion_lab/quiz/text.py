"""Text that comes from a deck, a file name or a person, made safe to print and measured in terminal columns.

`clean` is the one place where control codes, direction marks and invisible characters are made visible and
harmless. Everything that is printed passes through it; the program's own colour codes are added after.
"""

import unicodedata
from collections.abc import Iterator

# Invisible or reordering characters (Unicode Cf, Zl, Zp and the blank letters), as inclusive ranges.
_INVISIBLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xE0000, 0xE01EF),
)  # fmt: skip


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)}
    table[0x7F] = "\u2421"
    table.update({code: f"‹U+{code:04X}›" for code in range(0x80, 0xA0)})
    table.update({code: f"‹U+{code:04X}›" for low, high in _INVISIBLE for code in range(low, high + 1)})
    table.update(dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))
    return table


_HARMLESS: dict[int, str] = {}


def _harmless() -> dict[int, str]:
    if not _HARMLESS:
        _HARMLESS.update(_table())
    return _HARMLESS


def clean(text: str) -> str:
    """text with each control, direction and invisible character made visible; newline and tab stay.

    ESC becomes ␛, U+202E becomes ‹U+202E›, a lone surrogate becomes �. Cleaning twice changes nothing more.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return text.translate(_harmless())


def hidden(text: str) -> Iterator[tuple[int, str]]:
    """(offset, name) of each character that `clean` would replace."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return
    table = _harmless()
    for offset, letter in enumerate(text):
        if ord(letter) in table:
            yield offset, f"U+{ord(letter):04X} ({unicodedata.name(letter, 'control code')})"


def width(text: str) -> int:
    """Terminal columns of a cleaned line: combining marks take 0, wide East Asian letters 2, the rest 1."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def nearest(word: str, known: list[str]) -> str:
    """'did you mean ...?' with the nearest known word, or '' when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), {k.lower(): k for k in known}, n=1, cutoff=0.6)
    return f"did you mean `{next(k for k in known if k.lower() == near[0])}`?" if near else ""
