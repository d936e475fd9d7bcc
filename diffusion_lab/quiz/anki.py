"""Cards as an Anki package (.apkg), through genanki (extra: anki).

    package(notes, at_s)       -> bytes: the same notes and time give the same bytes
    write(notes, path, at_s)   writes them, whole or not at all
    field(text)                -> HTML of a card's text: math for Anki's MathJax, everything else escaped

A note's identity in Anki is a function of the card's id alone: importing a newer export updates the cards and
keeps their history. Anki takes the text of the later `at_s` (seconds since 1970).
"""

import hashlib
import html
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import NamedTuple

DECK = "Diffusion Lab"
_MODEL_ID = 1_607_392_319
_CSS = (
    ".card { font-family: sans-serif; font-size: 18px; text-align: left; max-width: 40em; margin: 0 auto; }"
)
_PIECES = re.compile(
    r"```[^\n]*\n(?P<block>.*?)\n```|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$|`(?P<code>[^`\n]+)`",
    re.DOTALL,
)
_HTML = {"block": "<pre>{}</pre>", "display": r"\[{}\]", "inline": r"\({}\)", "code": "<code>{}</code>"}


class Note(NamedTuple):
    """One card: its id in the deck, two sides of HTML, tags."""

    id: str
    front: str
    back: str
    tags: tuple[str, ...] = ()


def field(text: str) -> str:
    r"""Escapes text for an Anki field; $x$ becomes \(x\), $$x$$ becomes \[x\], code keeps its lines."""
    parts, end = [], 0
    for piece in _PIECES.finditer(text):
        parts.append(_lines(text[end : piece.start()]))
        kind = str(piece.lastgroup)
        parts.append(_HTML[kind].format(html.escape(piece[kind], quote=False)))
        end = piece.end()
    return "".join([*parts, _lines(text[end:])])


def package(notes: Sequence[Note], at_s: int, deck: str = DECK) -> bytes:
    """The bytes of an .apkg file. ValueError: an id twice, an empty front, or genanki is not installed."""
    _check(notes)
    genanki = _genanki()
    model = genanki.Model(
        _MODEL_ID,
        "Diffusion Lab card",
        fields=[{"name": "Front"}, {"name": "Back"}, {"name": "Id"}],
        templates=[{"name": "Card", "qfmt": "{{Front}}", "afmt": "{{FrontSide}}<hr id=answer>{{Back}}"}],
        css=_CSS,
    )
    made = genanki.Deck(_number(deck), deck)
    for place, note in enumerate(notes):
        guid = genanki.guid_for("diffusion-lab", note.id)
        fields, tags = (
            [note.front, note.back, html.escape(note.id)],
            [_tag(tag) for tag in note.tags if tag.strip()],
        )
        made.add_note(genanki.Note(model, fields, tags=tags, guid=guid, due=place))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "deck.apkg")
        genanki.Package(made).write_to_file(path, timestamp=float(at_s))
        return _without_times(path)


def write(notes: Sequence[Note], path: str, at_s: int, deck: str = DECK) -> None:
    """Writes the package. ValueError: see package, or the file cannot be written."""
    data, draft = package(notes, at_s, deck), f"{path}.{os.getpid()}"
    try:
        with open(draft, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(draft)
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from error


def _genanki() -> ModuleType:
    try:
        import genanki
    except ImportError:
        raise ValueError('the Anki export needs genanki: pip install "diffusion-lab[anki]".') from None
    module: ModuleType = genanki
    return module


def _check(notes: Iterable[Note]) -> None:
    seen: set[str] = set()
    for note in notes:
        if note.id in seen:
            raise ValueError(f"the card {note.id!r} is there twice: Anki would show one of them.")
        if not note.front.strip():
            raise ValueError(f"the card {note.id!r} has an empty front: Anki would not show it.")
        seen.add(note.id)


def _without_times(path: str) -> bytes:
    """The same archive with fixed dates, owners and order."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = (
                zipfile.ZIP_DEFLATED,
                3,
                0o600 << 16,
            )
            target.writestr(entry, source.read(name))
    return out.getvalue()


def _lines(text: str) -> str:
    return html.escape(text, quote=False).replace("\n\n", "<br><br>").replace("\n", " ")


def _tag(tag: str) -> str:
    # Anki separates tags by spaces.
    return "_".join(tag.split())


def _number(name: str) -> int:
    """A deck id that the name alone decides, in the range that genanki advises."""
    digest = hashlib.sha256(name.encode()).digest()
    return (1 << 30) + int.from_bytes(digest[:4], "big") % (1 << 30)
