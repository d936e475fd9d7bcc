"""One style sheet for all pages, and scripts that wait until a page stands: what a phone on a slow line asks
for before it shows the first word.
"""

import hashlib
import posixpath
import re
from pathlib import Path

_LINK = re.compile(r'[ \t]*<link[^>]*\bhref="[^"]*?_static/([^"?]+\.css)[^"]*"[^>]*>\n?')
_BUNDLE = re.compile(r"\bsite\.css(?:\?v=\w+)?")
_URL = re.compile(r"url\(\s*[\"']?(?!data:|https?:|#)([^\"')]+)[\"']?\s*\)")
_IMPORT = re.compile(r"@import (?:url\()?[\"']([^\"']+)[\"']\)?;")
_SCRIPT = re.compile(r'<script (?![^>]*\b(?:defer|async|type)\b)(?=[^>]*\bsrc=)')  # fmt: skip
_OPTIONS = re.compile(r'<script(?: defer)? src="[^"]*documentation_options\.js[^"]*"></script>')


def sheets(page: str) -> list[str]:
    """The style sheets that a page asks for one by one, as paths below _static."""
    return [name for name in _LINK.findall(page) if name != "site.css"]


def lightened(page: str, root: str, options: str) -> str:
    """A page with one style sheet and waiting scripts.

    root: the way up to the site; options: the script whose names others on the page use at once.
    """
    if sheets(page):
        first = _LINK.search(page)
        assert first
        rest = _LINK.sub("", page[first.end() :])
        page = f'{page[: first.start()]}<link rel="stylesheet" href="{root}_static/site.css">\n{rest}'
    page = _OPTIONS.sub(lambda _: f"<script>{options}</script>", page)
    return _SCRIPT.sub("<script defer ", page)


def listed(static: Path) -> list[str]:
    """The sheets that an earlier build made site.css from."""
    file = static / "site.css"
    return file.read_text(encoding="utf-8").partition("\n")[0].split()[1:-1] if file.exists() else []


def bundle(static: Path, names: list[str]) -> str:
    """Write site.css from these sheets, in their order; the address of this version of it."""
    text = "\n".join([f"/* {' '.join(names)} */", *(moved(static, name) for name in names)])
    (static / "site.css").write_text(text, encoding="utf-8", newline="\n")
    return f"site.css?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"


def moved(static: Path, name: str) -> str:
    """A style sheet whose addresses are seen from _static, with the sheets that it imports."""
    here = posixpath.dirname(name)
    text = (static / name).read_text(encoding="utf-8")
    text = _URL.sub(lambda url: f"url({posixpath.normpath(posixpath.join(here, url[1]))})", text)
    return _IMPORT.sub(lambda found: moved(static, posixpath.normpath(posixpath.join(here, found[1]))), text)


def versioned(page: str, address: str) -> str:
    """A page that asks for this version of the style sheet."""
    return _BUNDLE.sub(address, page)
