"""The Anki package: same bytes twice, identities that survive an edit, math that MathJax reads."""

import io
import sqlite3
import sys
import zipfile
from contextlib import closing
from html.parser import HTMLParser

import pytest

from diffusion_lab.quiz.anki import Note, field, package, write

pytest.importorskip("genanki")

NOTES = [
    Note("ddpm-q-sample", "Write \\(q(x_t\\mid x_0)\\)", "<b>mean</b>", ("forward", "level 2")),
    Note("cfg-off", "Which w is off?", "1"),
]
AT = 1_773_140_400


def opened(data, folder):
    """The names in the archive and a connection to its collection."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extract("collection.anki2", folder)
        return archive.namelist(), closing(sqlite3.connect(folder / "collection.anki2"))


def guids(data, folder):
    with opened(data, folder)[1] as con:
        return [guid for (guid,) in con.execute("SELECT guid FROM notes ORDER BY id")]


def test_the_same_notes_give_the_same_bytes():
    assert package(NOTES, AT) == package(NOTES, AT)
    with zipfile.ZipFile(io.BytesIO(package(NOTES, AT))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert package(NOTES, AT) != package(NOTES, AT + 1)
    assert package(NOTES, AT) != package([*NOTES, Note("new", "a", "b")], AT)


def test_fields_tags_order_and_deck_arrive(tmp_path):
    names, con = opened(package(NOTES, AT, "Diffusion Lab::DDPM"), tmp_path)
    assert sorted(names) == ["collection.anki2", "media"]
    with con as db:
        rows = db.execute("SELECT flds, tags, mod FROM notes ORDER BY id").fetchall()
        assert rows[0] == (f"{NOTES[0].front}\x1f<b>mean</b>\x1fddpm-q-sample", " forward level_2 ", AT)
        assert rows[1] == ("Which w is off?\x1f1\x1fcfg-off", "  ", AT)
        assert db.execute("SELECT due FROM cards ORDER BY id").fetchall() == [(0,), (1,)]
        assert "Diffusion Lab::DDPM" in db.execute("SELECT decks FROM col").fetchone()[0]


def test_an_edited_card_keeps_its_identity_and_another_card_has_another(tmp_path):
    edited = [NOTES[1], NOTES[0]._replace(front="New words", back="New answer", tags=())]
    before, after = guids(package(NOTES, AT), tmp_path), guids(package(edited, AT + 99), tmp_path)
    assert before == after[::-1]
    assert len(set(before)) == 2


def test_decks_of_different_names_are_different_decks(tmp_path):
    ids = set()
    for name in ("Diffusion Lab", "Mine", "Diffusion Lab"):
        with opened(package(NOTES, AT, name), tmp_path)[1] as db:
            ids.add(db.execute("SELECT DISTINCT did FROM cards").fetchone()[0])
    assert len(ids) == 2


def test_math_is_for_mathjax_and_everything_is_escaped():
    assert field("if $a < b$ & c") == r"if \(a &lt; b\) &amp; c"
    assert field("$$\\begin{aligned}x &= 1 \\\\ y &> 2\\end{aligned}$$") == (
        r"\[\begin{aligned}x &amp;= 1 \\ y &amp;&gt; 2\end{aligned}\]"
    )
    assert field("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert field("one\ntwo\n\nthree") == "one two<br><br>three"
    assert field("call `f(x) < $y$`") == "call <code>f(x) &lt; $y$</code>"
    assert field("```python\nif a < 1:\n    b = '$'\n```\nend") == "<pre>if a &lt; 1:\n    b = '$'</pre> end"
    assert field("costs 5 $ a day") == "costs 5 $ a day"


def test_a_reader_of_html_gets_the_text_back():
    text = "x < y & z > 1 \u2014 \u221a\u1fb1"
    read = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = read.append
    parser.feed(field(text))
    parser.close()
    assert "".join(read) == text


@pytest.mark.parametrize(
    ("notes", "words"),
    [([NOTES[0], NOTES[0]], "twice"), ([Note("a", " ", "b")], "empty front")],
)
def test_notes_that_anki_would_not_show_are_refused(notes, words):
    with pytest.raises(ValueError, match=words):
        package(notes, AT)


def test_without_genanki_a_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "genanki", None)
    with pytest.raises(ValueError, match=r'pip install "diffusion-lab\[anki\]"'):
        package(NOTES, AT)


def test_the_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "deck.apkg"
    write(NOTES, str(path), AT)
    assert path.read_bytes() == package(NOTES, AT)
    with pytest.raises(ValueError, match="cannot be written"):
        write(NOTES, str(tmp_path / "no" / "deck.apkg"), AT)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="cannot be written"):
        write(NOTES, str(tmp_path / "folder"), AT)
    assert {p.name for p in tmp_path.iterdir()} == {"deck.apkg", "folder"}
