"""Fonts cut to the characters that some page shows: the icons' 300 KB become a few, KaTeX's a third."""

import html
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_RULE = re.compile(r"((?:\.fa-[a-z0-9-]+::?before,?)+)\{(?:content|--fa):\"\\([0-9a-f]{4})\"\}")
_NAME = re.compile(r"\bfa-[a-z0-9-]+")
# Fonts that few letters need, and the classes in which those stand.
SPANS = {
    "KaTeX_AMS-Regular": re.compile(r'<span class="[^"]*\b(?:amsrm|mathbb|textbb)\b[^"]*"[^>]*>([^<]+)<'),
    "KaTeX_Caligraphic-Regular": re.compile(r'<span class="[^"]*\bmathcal\b[^"]*"[^>]*>([^<]+)<'),
}
_CODE = re.compile(r"\\(f[0-9a-f]{3})\b")
_ICON = re.compile("[\ue000-\uf8ff]")


def codes(styles: str, shown: str) -> set[int]:
    """The characters of the icons that `shown` names, and of those that the style sheets use themselves."""
    names = set(_NAME.findall(shown))
    named = {code for rule, code in _RULE.findall(styles) if names & set(_NAME.findall(rule))}
    rest = _RULE.sub("", styles)
    return {int(code, 16) for code in named | set(_CODE.findall(rest))} | set(map(ord, _ICON.findall(rest)))


def trimmed(styles: str, shown: str) -> str:
    """Style sheets without the rules of icons that nothing shows."""
    names = set(_NAME.findall(shown))
    return _RULE.sub(lambda rule: rule[0] if names & set(_NAME.findall(rule[1])) else "", styles)


def cut(static: Path, text: str) -> None:
    """Cut the icon fonts, their style sheet and KaTeX's fonts below _static; `text` is all pages."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    shown = text + read(static.rglob("*.js"))
    wanted = codes(read(static.rglob("*.css")), shown)
    for style in static.glob("styles/pydata-sphinx-theme.css"):
        style.write_text(trimmed(style.read_text(encoding="utf-8"), shown), encoding="utf-8")
    for font in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        subset(font, wanted)
    every = letters(text)
    for font in static.glob("katex/fonts/*.woff2"):
        few = SPANS.get(font.stem)
        subset(font, letters("".join(few.findall(text))) if few else every)


def letters(text: str) -> set[int]:
    """The characters that a piece of HTML shows."""
    return set(map(ord, set(html.unescape(text))))


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
