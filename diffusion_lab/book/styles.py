"""Style sheets without the rules that no page can meet: the theme brings all of Bootstrap, we show a tenth.

A rule goes if one of its classes is a word of no page and of no script, and begins with no word that a script
completes ("bs-tooltip-" + side).
"""

import re
from collections.abc import Iterator
from pathlib import Path

SHEETS = ("styles/*.css", "sphinx-design*.css", "mystnb*.css")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_COMMENT = re.compile(r"(/\*.*?\*/)", re.DOTALL)
_RULE = re.compile(r"([^{};]+)(\{[^{}]*\})")
_EMPTY = re.compile(r"@(?:media|supports)[^{};]*\{\s*\}")
_INSIDE = re.compile(r"\([^()]*\)|\[[^\]]*\]")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)(?!\\)")
_COMMA = re.compile(r",(?![^()]*\))")  # outside of brackets that hold none
_NESTED = re.compile(r"\([^()]*\(")


def words(text: str) -> set[str]:
    """Whatever in pages and scripts could be the name of a class."""
    return set(_WORD.findall(text))


def met(selector: str, shown: set[str], begun: tuple[str, ...]) -> bool:
    """Whether an element could match, were all that stands in brackets true."""
    while (bare := _INSIDE.sub("", selector)) != selector:
        selector = bare
    return all(name in shown or name.startswith(begun) for name in _CLASS.findall(selector))


def trimmed(styles: str, shown: set[str]) -> str:
    """The rules that something shown can meet, each with those of its selectors that can; comments too."""
    begun = tuple(word for word in shown if word.endswith("-") and len(word) > 3)

    def kept(rule: re.Match[str]) -> str:
        if _NESTED.search(rule[1]):
            return rule[0]
        left = [selector for selector in _COMMA.split(rule[1]) if met(selector, shown, begun)]
        return ",".join(left) + rule[2] if left else ""

    parts = _COMMENT.split(styles)  # rules and comments take turns
    parts[::2] = [_RULE.sub(kept, rules) for rules in parts[::2]]
    return _EMPTY.sub("", "".join(parts))


def cut(static: Path, text: str) -> None:
    """Trim the style sheets of the theme and of directives; `text` is all pages and scripts."""
    shown = words(text)
    for file in sheets(static):
        file.write_text(trimmed(file.read_text(encoding="utf-8"), shown), encoding="utf-8", newline="\n")


def sheets(static: Path) -> Iterator[Path]:
    """The style sheets that are not ours."""
    return (file for pattern in SHEETS for file in static.glob(pattern))
