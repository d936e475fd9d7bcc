"""All pages as one PDF, printed by Chromium: answers open, pictures in the place of live parts."""

import copy
import html
import os
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from diffusion_lab import __version__
from diffusion_lab.book.articles import Article, lead
from diffusion_lab.book.browser import FLAGS, chromium
from diffusion_lab.setup.steps import Stop

TITLE = "Diffusion Lab"
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="{static}/katex/katex.min.css"><style>{style}</style></head>
<body class="dl-paper">"""


def pdf(found: list[Article], site: Path, style: str, to: Path) -> None:
    """Print the articles of a built site into a file."""
    whole = to.with_suffix(".html")
    whole.write_text(one_page(found, os.path.relpath(site, to.parent), style), encoding="utf-8")
    try:
        printed(whole, to)
    finally:
        whole.unlink()


def one_page(found: list[Article], site: str, style: str) -> str:
    """Title, contents, and all articles one after the other, as one page of HTML."""
    pages = {article.name for article in found}
    head = HEAD.format(title=TITLE, static=f"{site}/_static", style=style)
    texts = [bound(article, pages, site) for article in found]
    return "\n".join([head, title(), contents(found), *texts, "</body></html>"])


def title() -> str:
    return f'<div class="dl-title"><p class="dl-name">{TITLE}</p><p>Version {__version__}</p></div>'


def contents(found: list[Article]) -> str:
    """The pages under the names of their parts."""
    lines, part = ['<nav class="dl-contents"><h1>Contents</h1>'], ""
    for article in found:
        if article.part != part:
            part = article.part
            lines.append(f'<p class="dl-part-name">{html.escape(part)}</p>')
        lines.append(f'<p><a href="#{anchor(article.name, "")}">{html.escape(article.title)}</a></p>')
    return "\n".join([*lines, "</nav>"])


def bound(article: Article, pages: set[str], site: str) -> str:
    """One article among others: names of its own, links within the file, everything open."""
    body = copy.copy(article.body)
    lead(body, article.name, pages, lambda page, section: "#" + anchor(page, section))
    for element in body.select("[id]"):
        element["id"] = anchor(article.name, str(element["id"]))
    unfold(body)
    for image in body.select("img[src]"):
        image["src"] = moved(str(image["src"]), article.name, site)
    body["id"] = anchor(article.name, "")
    label(body, article.part)
    return str(body)


def unfold(body: Tag) -> None:
    """Paper has nothing to click: answers stand open, and code that was folded away is left out."""
    for code in body.select("details.dl-code"):
        code.decompose()
    for element in body.select("details"):
        element["open"] = ""
    for summary in body.select(".dl-reveal > summary"):
        summary.string = "Answer"


def label(body: Tag, part: str) -> None:
    """The name of the part above the title."""
    made = BeautifulSoup(f'<p class="dl-part-name">{html.escape(part)}</p>', "html.parser")
    body.insert(0, made)


def anchor(page: str, section: str) -> str:
    """A place in the one file."""
    return f"{page.replace('/', '-')}--{section}"


def moved(source: str, page: str, site: str) -> str:
    """An image's address, seen from the one file."""
    return source if source.startswith("data:") else os.path.normpath(f"{site}/{page}/../{source}")


def printed(file: Path, to: Path) -> None:
    """One page of HTML as PDF. Stop: there is no Chromium."""
    path = chromium()
    if path is None:
        raise Stop("The PDF needs Chromium: install it, or set CHROMIUM to its path.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(0)  # a thousand sheets take their time
        page.goto(file.as_uri())
        page.pdf(path=to, prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
        browser.close()
