"""All pages as one EPUB 3: XHTML with MathML, no scripts, pictures in the place of live parts."""

import base64
import copy
import html
import mimetypes
import posixpath
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bs4 import Tag

from diffusion_lab import __version__
from diffusion_lab.book.articles import Article, lead

TITLE = "Diffusion Lab"
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>{body}</body></html>
"""
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{id}</dc:identifier><dc:title>{title}</dc:title><dc:language>en</dc:language>
<dc:creator>The Diffusion Lab authors</dc:creator><dc:rights>CC BY 4.0</dc:rights>
<meta property="dcterms:modified">{now}</meta></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{manifest}
</manifest>
<spine>
<itemref idref="nav"/>
{spine}
</spine></package>
"""


def epub(found: list[Article], site: Path, style: str, to: Path) -> None:
    """Write the articles of a built site as an EPUB."""
    images: dict[str, bytes] = {}
    pages = {file_of(article.name): page(article, found, site, images) for article in found}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, so that it can be seen
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/package.opf", package(pages, images))
        book.writestr("book/nav.xhtml", contents(found))
        book.writestr("book/style.css", style)
        for name, text in pages.items():
            book.writestr(f"book/{name}", text)
        for name, data in images.items():
            book.writestr(f"book/{name}", data)


def file_of(page: str) -> str:
    """book/forward -> book-forward.xhtml: one folder for all."""
    return page.replace("/", "-") + ".xhtml"


def page(article: Article, found: list[Article], site: Path, images: dict[str, bytes]) -> str:
    """One article as XHTML; its pictures join `images`."""
    body = copy.copy(article.body)
    lead(body, article.name, {other.name for other in found}, link)
    for formula in body.select(".katex"):
        formula.replace_with(*formula.select("math"))  # readers set MathML; KaTeX's boxes need its fonts
    for image in body.select("img[src]"):
        name, data = picture(str(image["src"]), article.name, site, len(images))
        images[name], image["src"] = data, name
    tidy(body)
    return PAGE.format(title=html.escape(article.title), body=str(body))


def link(page: str, section: str) -> str:
    """A place in another file of the book."""
    return f"{file_of(page)}#{section}" if section else file_of(page)


def tidy(body: Tag) -> None:
    """What browsers take and a strict reader does not: a name twice on a page."""
    seen: set[str] = set()
    for element in body.select("[id]"):
        if element["id"] in seen:
            del element["id"]
        else:
            seen.add(str(element["id"]))


def picture(source: str, page: str, site: Path, number: int) -> tuple[str, bytes]:
    """(name in the book, bytes) of an image, which stands in a file of the site or in the page itself."""
    if source.startswith("data:"):
        kind, _, data = source.removeprefix("data:").partition(";base64,")
        return f"images/{number}{mimetypes.guess_extension(kind)}", base64.b64decode(data)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), source))
    return f"images/{posixpath.basename(path)}", (site / path).read_bytes()


def package(pages: dict[str, str], images: dict[str, bytes]) -> str:
    """What is in the book, and in which order it is read."""
    return PACKAGE.format(
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"diffusion-lab {__version__}"), title=TITLE,
        now=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), manifest="\n".join(items(pages, images)),
        spine="\n".join(f'<itemref idref="page{n}"/>' for n in range(len(pages))),
    )  # fmt: skip


def items(pages: dict[str, str], images: dict[str, bytes]) -> Iterator[str]:
    """The manifest's lines of pages and pictures."""
    for n, (name, text) in enumerate(pages.items()):
        kinds = ' properties="mathml"' if "<math" in text else ""
        yield f'<item id="page{n}" href="{name}" media-type="application/xhtml+xml"{kinds}/>'
    for n, name in enumerate(images):
        yield f'<item id="image{n}" href="{name}" media-type="{mimetypes.guess_type(name)[0]}"/>'


def contents(found: list[Article]) -> str:
    """The pages under the names of their parts."""
    parts: dict[str, list[str]] = {}
    for article in found:
        entry = f'<li><a href="{file_of(article.name)}">{html.escape(article.title)}</a></li>'
        parts.setdefault(article.part, []).append(entry)
    lists = [
        f"<li><span>{html.escape(part)}</span><ol>{''.join(entries)}</ol></li>" if part else "".join(entries)
        for part, entries in parts.items()
    ]
    body = f'<nav epub:type="toc"><h1>{TITLE}</h1><ol>{"".join(lists)}</ol></nav>'
    return PAGE.format(title=TITLE, body=body)
