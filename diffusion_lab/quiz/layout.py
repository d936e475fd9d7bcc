"""Markdown with TeX as lines for a terminal: wrapped by columns, formulas as Unicode, nothing harmful left.

    lines(markdown, width)     paragraphs, lists, code and tables of a card's text
    wrap(text, width, hang)    one paragraph of styled text; `hang` indents the lines after the first
    styled(markdown)           one line of text: formulas rendered, emphasis as styles
    style(name, text)          text in a style; `terminal` turns styles into colours or drops them

Styles are control characters. `text.clean` has taken all control characters out of a deck's text before, so
only this module puts them there.
"""

import re
from collections.abc import Iterator

from diffusion_lab.quiz.latex import TexError, math_spans, render
from diffusion_lab.quiz.text import clean, width

STYLES = {"bold": "\x01", "dim": "\x02", "key": "\x03", "good": "\x04", "bad": "\x05", "warn": "\x06"}
END = "\x0f"
_MARKS = dict.fromkeys([*map(ord, STYLES.values()), ord(END)])
# Characters of a formula or of code that must not count as Markdown or as a place to break, kept aside.
_ASIDE = str.maketrans({"*": "\x10", "`": "\x11", " ": "\x12", "[": "\x13", "_": "\x14"})
_BACK = str.maketrans({"\x10": "*", "\x11": "`", "\x12": " ", "\x13": "[", "\x14": "_"})
# A longer formula may be broken at its spaces.
_UNBROKEN = 36
_EMPHASIS = re.compile(
    r"\*\*(?P<bold>\S(?:.*?\S)?)\*\*|(?<![\w*])\*(?P<dim>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
)
_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<to>[^)\s]+)\)")
_ITEM = re.compile(r"(\s*)([-*+]|[0-9]{1,3}[.)])\s+")


def style(name: str, text: str) -> str:
    """The text in a style."""
    return f"{STYLES[name]}{text}{END}"


def columns(text: str) -> int:
    """Columns of a styled text."""
    return width(text.translate(_MARKS))


def styled(markdown: str) -> str:
    """Cleaned text with formulas as Unicode and emphasis, code and links as styles."""
    text, parts, last = clean(markdown), [], 0
    for span in math_spans(text):
        if span.tex:
            parts += [text[last : span.start], _formula(span.tex, text[span.start : span.end])]
            last = span.end
    text = "".join([*parts, text[last:]]).replace("\\$", "$")
    text = _CODE.sub(lambda found: style("key", found[2].translate(_ASIDE)), text)
    text = _LINK.sub(_linked, text)
    text = _EMPHASIS.sub(lambda found: style(str(found.lastgroup), found[found.lastgroup or 0]), text)
    return text.translate({**_BACK, ord("\x12"): "\x12"})


def _formula(tex: str, written: str) -> str:
    try:
        shown = clean(render(tex))
    except TexError:
        return written
    kept = shown.translate(_ASIDE)
    return kept if width(shown) <= _UNBROKEN else kept.replace("\x12", " ")


def _linked(found: re.Match[str]) -> str:
    where = found["to"].translate(_ASIDE)
    if found["picture"]:
        return f"(picture: {found['text'] or where}, {where})"
    return f"{found['text']} ({where})" if found["to"].startswith("https:") else found["text"]


def wrap(text: str, room: int, hang: str = "", first: str = "") -> list[str]:
    """Words of a styled text in lines of at most `room` columns; a longer word is cut."""
    made, line, used = [], first, columns(first)
    empty = True
    for word in text.split():
        for piece in _pieces(word, max(room - columns(hang), 8)):
            size = columns(piece)
            if not empty and used + 1 + size > room:
                made.append(line)
                line, used, empty = hang, columns(hang), True
            line += piece if empty else f" {piece}"
            used += size + (not empty)
            empty = False
    return [part.replace("\x12", " ") for part in [*made, line] if part.strip()]


def _pieces(word: str, room: int) -> Iterator[str]:
    # Looking a few times the room ahead is enough, and keeps a paste without spaces from taking long.
    while columns(word[: 4 * room]) > room:
        end = 1
        while columns(word[: end + 1]) <= room:
            end += 1
        yield word[:end]
        word = word[end:]
    yield word


def lines(markdown: str, room: int, indent: str = "") -> list[str]:
    """A text as lines of at most `room` columns. Blocks are parted by an empty line, list items are not."""
    made: list[str] = []
    for number, block in enumerate(_blocks(markdown)):
        if number:
            made.append("")
        made += [f"{indent}{line}" if line else "" for line in _shown(block, room - len(indent))]
    return made


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Runs of lines: a block of code, a displayed formula, or what stands between empty lines."""
    block: list[str] = []
    fence = ""
    for line in _displays_apart(clean(markdown)).replace("\t", "    ").split("\n"):
        mark = re.match(r"```+|~~~+", line)
        if fence or mark:
            if mark and not fence and block:
                yield block
                block = []
            block.append(line)
            if fence and line.startswith(fence):
                yield block
                block, fence = [], ""
            elif mark and not fence:
                fence = mark[0]
        elif line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _displays_apart(text: str) -> str:
    """The text with each displayed formula on lines of its own."""
    parts, last = [], 0
    for span in math_spans(text):
        if span.display:
            before = text[last : span.start].rstrip(" ")
            stop = re.match(r"[.,;:]", text[span.end :])
            whole = " ".join(text[span.start : span.end].split("\n"))
            parts += [before, f"\n\n{whole}{stop[0] if stop else ''}\n\n"]
            last = span.end + bool(stop)
    return "".join([*parts, text[last:]]) if parts else text


def _shown(block: list[str], room: int) -> Iterator[str]:
    if block[0].startswith(("```", "~~~")):
        code = block[1:-1] if len(block) > 1 and block[-1].startswith(block[0][:3]) else block[1:]
        yield from (f"    {style('key', line)}" if line.strip() else "" for line in code)
    elif block[0].startswith("$$"):
        yield from _display(block, room)
    elif len(block) > 1 and all(line.startswith("|") for line in block) and not set(block[1]) - set("|-: "):
        yield from _table(block)
    else:
        yield from _paragraph(block, room)


def _display(block: list[str], room: int) -> Iterator[str]:
    """A displayed formula: its rows as they are, indented."""
    for row in styled("\n".join(block)).replace("\x12", " ").split("\n"):
        if columns(row) + 4 <= room:
            yield f"    {row}"
        else:
            yield from wrap(row, room, "      ", "    ")


def _paragraph(block: list[str], room: int) -> Iterator[str]:
    """Prose and list items, each wrapped."""
    pieces: list[list[str]] = []
    for line in block:
        if not pieces or _ITEM.match(line):
            pieces.append([line])
        else:
            pieces[-1].append(line)
    for piece in pieces:
        item = _ITEM.match(piece[0])
        text = styled("\n".join(piece))
        if item:
            mark = f"{' ' * min(len(item[1]), 8)}{item[2].replace('*', '-').replace('+', '-')} "
            yield from wrap(text.lstrip()[len(item[2]) :], room, " " * len(mark), mark)
        else:
            yield from wrap(text, room)


def _table(block: list[str]) -> Iterator[str]:
    rows = [
        [styled(cell.strip()).replace("\x12", " ") for cell in row.strip().strip("|").split("|")]
        for row in block
    ]
    rows = [row for row in rows if any(set(cell) - set("-: ") for cell in row)]
    wide = [
        max((columns(row[n]) for row in rows if n < len(row)), default=0) for n in range(max(map(len, rows)))
    ]
    for row in rows:
        yield "  ".join(cell + " " * (wide[n] - columns(cell)) for n, cell in enumerate(row)).rstrip()
