"""Characters that a terminal would not show, or would obey."""

import unicodedata

import pytest

from diffusion_lab.quiz.text import clean, hidden

LETTERS = "".join(map(chr, [*range(0x10000), *range(0xE0000, 0xE0200)]))
HIDDEN = {LETTERS[offset] for offset, _ in hidden(LETTERS)}


def test_every_format_and_control_character_is_hidden_but_newline_and_tab():
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    missed = {c for c in LETTERS if unicodedata.category(c) in kinds} - HIDDEN - set("\n\t")
    # Scripts that use a format character as a visible sign keep it.
    assert {unicodedata.name(c).split(" ")[0] for c in missed} <= {"ARABIC", "SYRIAC"}


@pytest.mark.parametrize("blank", ["\u034f", "\u115f", "\u17b4", "\u3164", "\ufe0f", "\uffa0"])
def test_blank_letters_are_hidden_although_unicode_calls_them_printable(blank):
    assert blank.isprintable()
    assert clean(f"a{blank}b") == f"a‹U+{ord(blank):04X}›b"
    assert [offset for offset, _ in hidden(f"a{blank}b")] == [1]


def test_cleaning_changes_nothing_else_and_twice_is_once():
    cleaned = clean(LETTERS)
    assert clean(cleaned) == cleaned
    assert not HIDDEN & set(cleaned) - {"\ufffd"}
    assert [c for c in cleaned if c in "aᾱ€"] == [c for c in LETTERS if c in "aᾱ€"]
    assert clean("x\x1b[31m\x7f\ud800\u202e\n\t") == "x␛[31m␡\ufffd‹U+202E›\n\t"
