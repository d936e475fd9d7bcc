"""The book as one file: a small site of three pages becomes an EPUB and, with Chromium, a PDF."""

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from xml.etree import ElementTree

import pytest

from diffusion_lab.book import build, downloads
from diffusion_lab.book.articles import articles, spoken
from diffusion_lab.book.browser import chromium
from diffusion_lab.book.epub import epub
from diffusion_lab.book.node import BOOK
from diffusion_lab.book.pdf import anchor, one_page, pdf

TOC = {
    "root": "book/intro",
    "parts": [
        {"caption": "Chapters", "chapters": [{"file": "book/forward"}]},
        {"caption": "Bank", "chapters": [{"file": "book/bank", "sections": [{"file": "book/bank/flow"}]}]},
    ],
}
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FORMULA = (
    '<span class="katex"><span class="katex-mathml"><math xmlns="http://www.w3.org/1998/Math/MathML">'
    '<mi>q</mi></math></span><span class="katex-html" aria-hidden="true"><i>q</i></span></span>'
)
CARD = (
    '<section class="dl-card" id="card-one" aria-labelledby="card-one-title"><span class="dl-card-title" '
    'role="heading" aria-level="3" id="card-one-title">One</span><p>Why?</p><script type="application/json">'
    '{"secret": 1}</script><details class="dl-reveal"><summary>Show the answer</summary><p>Because.</p>'
    "</details></section>"
)
TWO = CARD.replace("card-one", "card-two").replace("One", "Two &amp; a half")
PAGES = {
    "book/intro": f'<h1>Intro {FORMULA}<a class="headerlink" href="#x">#</a></h1><p class="dl-downloads"></p>'
    '<p><a href="forward.html#there">on</a> <a href="../search.html">search</a> <a href="https://x.y/">out</a>'
    f'<img class="dl-still" alt="still" src="data:image/png;base64,{DOT}"><br></p>',
    "book/forward": f'<h1>Forward</h1><h2 id="there">There &lt; here</h2><img alt="f" src="../_images/f.svg">'
    f'{CARD}<details class="dl-code"><summary>The code of this</summary><pre>x = 1</pre></details>'
    '<p id="again">a</p><p id="again">b <svg viewBox="0 0 1 1"></svg></p>',
    "book/bank": '<h1>Bank</h1><a href="bank/flow.html#card-one">One</a>',
    "book/bank/flow": f"<h1>Flow</h1>{CARD}{TWO}",
}


@pytest.fixture
def site(tmp_path):
    """Four pages as Sphinx leaves them: an article, and a site around it."""
    for name, text in PAGES.items():
        file = tmp_path / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'<html><nav>menu</nav><article class="bd-article">{text}</article></html>')
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images/f.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    return tmp_path


@pytest.fixture
def book(site):
    """The EPUB as {file: bytes}."""
    epub(articles(site, TOC), site, "p { margin: 0 }", site / "book.epub")
    with zipfile.ZipFile(site / "book.epub") as packed:
        assert packed.namelist()[0] == "mimetype"
        assert packed.getinfo("mimetype").compress_type == zipfile.ZIP_STORED
        return {name: packed.read(name) for name in packed.namelist()}


def test_pages_come_in_the_order_of_the_contents_and_without_the_site(site):
    found = articles(site, TOC)
    assert [article.name for article in found] == list(PAGES)
    assert [article.part for article in found] == ["", "Chapters", "Bank", "Bank"]
    assert found[0].title == "Intro q"
    assert spoken(found[1].body.h2) == "There < here"
    for word in ("menu", "secret", "headerlink"):
        assert not any(word in str(article.body) for article in found)


def test_the_bank_links_to_cards_that_stood_before(site):
    bank = str(articles(site, TOC)[3].body)
    assert '<p id="card-one"><a href="../../book/forward.html#card-one">One</a></p>' in bank
    assert bank.count("dl-reveal") == 1


def test_every_page_of_the_epub_is_xhtml_and_every_link_leads_somewhere(book):
    pages = {name: data for name, data in book.items() if name.endswith((".xhtml", ".opf", ".xml"))}
    trees = {name: ElementTree.fromstring(data) for name, data in pages.items()}
    ids = {name: [e.get("id") for e in tree.iter() if e.get("id")] for name, tree in trees.items()}
    assert all(len(found) == len(set(found)) for found in ids.values())
    for name, tree in trees.items():
        for element in tree.iter():
            link = element.get("href") or element.get("src") or ""
            if not link or link.startswith("https://x.y"):
                continue
            file, _, place = link.partition("#")
            target = str(PurePosixPath(name).parent / file) if file else name
            assert target in book, link
            assert not place or place in ids[target], link


def test_the_epub_sets_formulas_as_mathml_and_keeps_answers_folded(book):
    intro, forward = (book[f"book/book-{name}.xhtml"].decode() for name in ("intro", "forward"))
    assert intro.count("<math") == 1
    assert "katex" not in intro
    assert "script" not in forward
    assert "<svg" not in forward
    assert "<details" in forward
    manifest = book["book/package.opf"].decode()
    (line,) = re.findall(r'<item [^>]*book-intro.xhtml"[^>]*>', manifest)
    assert 'properties="mathml"' in line
    (line,) = re.findall(r'<item [^>]*book-forward.xhtml"[^>]*>', manifest)
    assert "mathml" not in line
    assert "search" in intro
    assert "search.html" not in intro


def test_on_paper_answers_stand_open_and_links_stay_inside(site):
    page = one_page(articles(site, TOC), "../html", "")
    assert page.count('<details class="dl-reveal" open="">') == page.count("<details") == 2
    assert "Show the answer" not in page
    assert "x = 1" not in page
    assert f'href="#{anchor("book/forward", "there")}"' in page
    assert f'id="{anchor("book/forward", "there")}"' in page
    assert 'src="../html/_images/f.svg"' in page
    ids = re.findall(r'\bid="([^"]*)"', page.replace('id="book-forward--again"', "", 1))
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_first_page_offers_what_is_there_and_nothing_else(site):
    page = site / "book/intro.html"
    before = page.read_text()
    downloads.offer(site)
    assert page.read_text() == before
    (site / "downloads").mkdir()
    (site / "downloads/diffusion-lab.epub").write_bytes(b"x" * 2_000_000)
    downloads.offer(site)
    assert '<a href="../downloads/diffusion-lab.epub" download>EPUB, 2 MB</a>' in page.read_text()
    assert "PDF" not in page.read_text()
    downloads.drop(site)
    downloads.offer(site)
    assert page.read_text() == before


def test_a_page_that_was_not_built_is_named(site, capsys):
    (site / "book/bank.html").unlink()
    with pytest.raises(build.Stop, match=r"bank\.html is missing"):
        articles(site, TOC)


@pytest.mark.browser
def test_chromium_prints_all_pages_with_an_outline(site):
    if chromium() is None:
        pytest.skip("no Chromium here: install it, or set CHROMIUM to its path, to run the browser tests")
    style = downloads.style("print.css", "paper.css")
    with ThreadPoolExecutor() as thread:  # other tests of this process hold a browser in theirs
        thread.submit(pdf, articles(site, TOC), site, style, site / "book.pdf").result()
    data = (site / "book.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/Outlines" in data
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 6  # title, contents and four pages
    assert not (site / "book.html").exists()


def test_without_chromium_a_sentence_says_so(site, monkeypatch):
    monkeypatch.setattr("diffusion_lab.book.pdf.chromium", lambda: None)
    with pytest.raises(build.Stop, match="needs Chromium"):
        pdf(articles(site, TOC), site, "", site / "book.pdf")


@pytest.mark.browser
def test_answers_stand_open_on_the_paper_of_one_page(browser, tmp_path):
    file = tmp_path / "page.html"
    style = (BOOK / "assets/book.css").read_text(encoding="utf-8")
    file.write_text(f"<!doctype html><title>t</title><style>{style}</style>{CARD}")
    page = browser.new_page()
    page.goto(file.as_uri())
    answer = page.get_by_text("Because.")
    assert not answer.is_visible()
    page.emulate_media(media="print")
    assert answer.is_visible()
    page.close()
