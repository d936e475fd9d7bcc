"""Fonts cut to the characters that some page shows: the icons' 300 KB become a few, KaTeX's a third."""

import html
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_RULE = re.compile(r"((?:\.fa-[a-z0-9-]+::?before,?)+)\{(?:content|--fa):\"\\([0-9a-f]{4})\"\}")
_NAME = re.compile(r"\bfa-[a-z0-9-]+")
_CODE = re.compile(r"\\(f[0-9a-f]{3})\b")


def codes(styles: str, shown: str) -> set[int]:
    """The characters of the icons that `shown` names, and of those that the style sheets use themselves."""
    names = set(_NAME.findall(shown))
    named = {code for rule, code in _RULE.findall(styles) if names & set(_NAME.findall(rule))}
    return {int(code, 16) for code in named | set(_CODE.findall(_RULE.sub("", styles)))}


def trimmed(styles: str, shown: str) -> str:
    """Style sheets without the rules of icons that nothing shows."""
    names = set(_NAME.findall(shown))
    return _RULE.sub(lambda rule: rule[0] if names & set(_NAME.findall(rule[1])) else "", styles)


def cut(static: Path, pages: Iterable[Path]) -> None:
    """Cut the icon fonts, their style sheet and KaTeX's fonts below _static."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    text = read(pages)
    shown = text + read(static.rglob("*.js"))
    wanted = codes(read(static.rglob("*.css")), shown)
    for style in static.glob("styles/pydata-sphinx-theme.css"):
        style.write_text(trimmed(style.read_text(encoding="utf-8"), shown), encoding="utf-8")
    for font in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        subset(font, wanted)
    for font in static.glob("katex/fonts/*.woff2"):
        subset(font, set(map(ord, set(html.unescape(text)))))


def subset(font: Path, wanted: set[int]) -> None:
    """One font file, with these characters alone."""
    from fontTools import subset as cutter

    options = cutter.Options(flavor="woff2", notdef_outline=True)
    loaded = cutter.load_font(str(font), options)
    tool = cutter.Subsetter(options)
    tool.populate(unicodes=wanted)
    tool.subset(loaded)
    cutter.save_font(loaded, str(font), options)


def read(files: Iterable[Path]) -> str:
    return "\n".join(_texts(files))


def _texts(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        if file.name != "fontawesome.js":
            yield file.read_text(encoding="utf-8")
