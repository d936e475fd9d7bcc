"""One PDF and one EPUB beside the site, and the line of the first page that offers them.

They are made from the pages that were just built: the same text, and nothing that is older than the site.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from pygments.formatters import HtmlFormatter

from diffusion_lab.book.articles import articles
from diffusion_lab.book.epub import epub
from diffusion_lab.book.node import BOOK
from diffusion_lab.book.pdf import pdf
from diffusion_lab.setup.steps import say

FILES = {"PDF": "diffusion-lab.pdf", "EPUB": "diffusion-lab.epub"}
_OFFER = re.compile(r'(<p class="dl-downloads">).*?(</p>)', re.DOTALL)


def make(html: Path, toc: dict[str, Any]) -> None:
    """Write both below html/downloads."""
    folder = html / "downloads"
    folder.mkdir(exist_ok=True)
    found = articles(html, toc)
    epub(found, html, style("print.css"), folder / FILES["EPUB"])
    say("The EPUB is done; Chromium prints the PDF ...")
    pdf(found, html, style("print.css", "paper.css"), folder / FILES["PDF"])


def drop(html: Path) -> None:
    """Take away what an earlier build left: it would be older than the pages."""
    shutil.rmtree(html / "downloads", ignore_errors=True)


def offer(html: Path) -> None:
    """Write into the first page which downloads there are, and nothing if there are none."""
    page = html / "book" / "intro.html"
    if page.exists():
        text = page.read_text(encoding="utf-8")
        page.write_text(_OFFER.sub(rf"\g<1>{line(html)}\g<2>", text), encoding="utf-8", newline="\n")


def line(html: Path) -> str:
    """Links to the files that are there."""
    here = {kind: html / "downloads" / name for kind, name in FILES.items()}
    links = [
        f'<a href="../downloads/{file.name}" download>{kind}, {file.stat().st_size / 1e6:.0f} MB</a>'
        for kind, file in here.items()
        if file.exists()
    ]
    return f"The whole book as one file: {' · '.join(links)}." if links else ""


def style(*names: str) -> str:
    """Style sheets of the book as one, with colours for code."""
    code: str = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")
    return "\n".join([*((BOOK / name).read_text(encoding="utf-8") for name in names), code])
