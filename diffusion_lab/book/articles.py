"""The text of every built page, without the site around it: what books that are one file are made of."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from diffusion_lab.setup.steps import ROOT, Stop

_ARTICLE = re.compile(r'<article class="bd-article">.*</article>', re.DOTALL)
SITE_ONLY = "script, style, button, template, a.headerlink, .dl-downloads, svg:not(.katex *)"


class Article(NamedTuple):
    """One page: its name as in book/_toc.yml, the part it stands in, and its elements."""

    name: str
    part: str
    body: Tag

    @property
    def title(self) -> str:
        """Its first heading, as words."""
        title = self.body.find("h1")
        return spoken(title) if isinstance(title, Tag) else self.name


def articles(html: Path, toc: dict[str, Any]) -> list[Article]:
    """Every page of the table of contents, in its order; the bank links to cards that stood before."""
    found = [Article(name, part, read(html / f"{name}.html")) for part, name in order(toc)]
    refer(found)
    return found


def order(toc: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(part, page) of a table of contents, as a reader meets them."""
    yield "", toc["root"]
    for part in toc["parts"]:
        for entry in part["chapters"]:
            for name in names(entry):
                yield part["caption"], name


def names(entry: dict[str, Any]) -> Iterator[str]:
    """The pages of one entry: a file and its sections, or the files of a pattern."""
    if "glob" in entry:
        files = sorted(ROOT.glob(entry["glob"] + ".ipynb"))
        yield from (file.relative_to(ROOT).with_suffix("").as_posix() for file in files)
        return
    yield entry["file"]
    for section in entry.get("sections", []):
        yield from names(section)


def read(file: Path) -> Tag:
    """The elements of a built page that belong to its text. Stop: the page is not there."""
    found = _ARTICLE.search(file.read_text(encoding="utf-8")) if file.exists() else None
    if not found:
        raise Stop(f"{file} is missing or no page of the book: build the book again.")
    body = BeautifulSoup(found[0], "html.parser").article
    assert body
    for part in body.select(SITE_ONLY):
        part.decompose()
    return body


def refer(found: list[Article]) -> None:
    """In a book that is one file the bank's pages need no copy of what a chapter or the grill has asked."""
    stood: dict[str, str] = {}
    for article in found:
        for card in article.body.select("section.dl-card"):
            name = str(card["id"])
            there = stood.setdefault(name, article.name)
            if there != article.name and article.name.startswith("book/bank/"):
                depth = article.name.count("/")
                text = f'<p id="{name}"><a href="{"../" * depth}{there}.html#{name}">{heading(card)}</a></p>'
                card.replace_with(BeautifulSoup(text, "html.parser"))


def heading(card: Tag) -> str:
    """What a card is called, as HTML."""
    title = card.select_one(".dl-card-title")
    assert title
    return title.decode_contents()


def spoken(title: Tag) -> str:
    """A heading as words: each formula once."""
    copied = BeautifulSoup(str(title), "html.parser")
    for part in copied.select(".katex-html"):
        part.decompose()
    return " ".join(copied.get_text().split())


def lead(body: Tag, name: str, pages: set[str], place: Callable[[str, str], str]) -> None:
    """Let links between pages lead to place(page, section); links to what the book leaves out become text."""
    for link in body.select("a[href]"):
        target, section = urldefrag(urljoin(f"{name}.html", str(link["href"])))
        page = target.removesuffix(".html")
        if page in pages:
            link["href"] = place(page, section)
        elif not urlsplit(target).scheme:
            link.unwrap()
