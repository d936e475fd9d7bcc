"""Links of the built pages that lead nowhere: to no file, or to a place that the page lacks."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

_LINK = re.compile(r'<a[^>]*\bhref="([^"]+)"')
_ID = re.compile(r'\bid="([^"]+)"')
HERE = "http://site/"


def broken(folder: Path) -> list[tuple[str, str]]:
    """(page, link) of every link inside the site that leads nowhere."""
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*.html")}
    texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    places = {name: set(_ID.findall(text)) for name, text in texts.items()}
    return [
        (name, link)
        for name, text in texts.items()
        for link in _LINK.findall(text)
        if not leads(urljoin(HERE + name, link), folder, places)
    ]


def leads(address: str, folder: Path, places: dict[str, set[str]]) -> bool:
    """Whether a link leads to a place, or out of the site."""
    target, place = urldefrag(address)
    if not target.startswith(HERE):
        return True
    path = unquote(target.removeprefix(HERE)) or "index.html"
    return (folder / path).is_file() and not (place and path in places and place not in places[path])
