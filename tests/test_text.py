"""Alphabets, languages and corpora: what goes in comes out, and every refusal says what to do."""

import json
from hashlib import sha256

import pytest
import torch

from diffusion_lab.data import Share
from diffusion_lab.text import END, LANGUAGES, Alphabet, Prose, drawn, prose
from diffusion_lab.text.corpora import downloaded, plain

from .data.server import serving

each_language = pytest.mark.parametrize("name", LANGUAGES)


@each_language
def test_every_sentence_survives_encoding_and_passes_its_own_check(name):
    language = LANGUAGES[name]()
    rows = language.alphabet.rows(language.sentences, language.length)
    assert tuple(language.alphabet.texts(rows)) == language.sentences
    assert language.valid(list(language.sentences)) == 1
    assert len(set(language.sentences)) == len(language.sentences)
    assert (rows[:, -1] == END).all()


@each_language
def test_training_and_held_out_sentences_do_not_meet(name):
    language = LANGUAGES[name]()
    train, test = (set(language.alphabet.texts(language.rows(split))) for split in ("train", "test"))
    assert not train & test
    assert train | test == set(language.sentences)
    assert language.entropy == pytest.approx(torch.tensor(float(len(train))).log().item())
    assert 0.09 < len(test) / len(language.sentences) < 0.11


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("dates", "9 oct 2026 = 2026-10-08", "9 oct 2026 is 2026-10-09, not 2026-10-08"),
        ("dates", "30 feb 2026 = 2026-02-30", "there is no 30 feb 2026"),
        ("dates", "9 okt 2026 = 2026-10-09", "'9 okt 2026' does not read: day month year"),
        ("dates", "9 oct 2026", "does not read: day month year = year-month-day"),
        ("dates", "9 oct 2028 = 2028-10-09", "2028 lies outside 2024 to 2027"),
        ("dates", "09 oct 2026 = 2026-10-09", "write 9 oct 2026, not 09 oct 2026"),
        ("weekdays", "thu 9 oct 2026", "9 oct 2026 is a fri, not a thu"),
        ("weekdays", "thy 9 oct 2026", "'thy' is no weekday"),
        ("arithmetic", "twelve plus ten is twenty three", "12 + 10 is 22, not 23"),
        ("arithmetic", "twelve minus ten is three", "12 - 10 is 2, not 3"),
        ("arithmetic", "twelve plus one is thirteen", "one has one digit"),
        ("arithmetic", "twelve plus is thirteen", "it does not read"),
        ("arithmetic", "twelve plus ten ten is two", "'ten ten' is no number below one hundred"),
    ],
)
def test_a_wrong_sentence_is_told_why(name, text, why):
    verdict = LANGUAGES[name]().check(text)
    assert not verdict.valid
    assert why in verdict.why


def test_an_unknown_symbol_is_named_with_its_place():
    letters, words = Alphabet.of(["abc", "cab"]), Alphabet.of(["to be", "or not"], " ")
    with pytest.raises(ValueError, match=r"character 3 of 'abx' is 'x', which is not among the 3"):
        letters.encode("abx")
    with pytest.raises(ValueError, match=r"word 2 of 'to bee' is 'bee'"):
        words.encode("to bee")
    with pytest.raises(ValueError, match=r"'abca' has 4 symbols and the rows 3: shorten"):
        letters.rows(["ab", "abca"], 3)
    with pytest.raises(ValueError, match="the corpus is empty"):
        Alphabet.of([])
    assert words.texts(words.rows(["not to be"], 5)) == ["not to be"]


def test_masks_and_ends_can_be_seen():
    letters = Alphabet.of(["abc"])
    row = torch.tensor([1, 4, 3, 0, 0])
    assert letters.show(row) == "a_c··"
    assert letters.text(row) == "a_c"


def test_batches_of_sentences_are_a_function_of_the_step():
    rows = torch.arange(35).reshape(7, 5)
    one, again = (drawn(rows, Share(11), seed=3)(17)[0] for _ in range(2))
    assert torch.equal(one, again)
    halves = [drawn(rows, Share(12, rank, 2), seed=3)(17)[0] for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), drawn(rows, Share(12), seed=3)(17)[0])
    assert not torch.equal(one, drawn(rows, Share(11), seed=3)(18)[0])
    with pytest.raises(ValueError, match="the corpus is empty"):
        drawn(rows[:0], Share(1), seed=0)


def test_prose_reads_pages_notebooks_and_text(tmp_path):
    (tmp_path / "a.md").write_text(
        "(label)=\n# A *Title*\n\n:::{note}\nWords, $x^2$ and `code`.\n```\nprint(1)\n```\n"
    )
    cells = [{"cell_type": "markdown", "source": ["Some\n", "notes"]}, {"cell_type": "code", "source": ["x"]}]
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    text = prose(tmp_path, length=8).text
    assert text == "a title\nwords, and code .\nsome\nnotes"
    corpus = Prose("the cat sat on the mat and the dog sat on it " * 9, length=16)
    assert corpus.rows().shape[1] == 16
    assert corpus.alphabet.text(corpus.rows()[0]) == "the cat sat on t"
    assert corpus.check("xx the cat zz").valid
    assert corpus.check("a zebra sat").why == "no words: zebra"
    assert corpus.real_words(["a zebra sat on"]) == pytest.approx(0.5)


def test_a_corpus_that_cannot_serve_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not exist: give a text file"):
        prose(tmp_path / "nothing.txt")
    with pytest.raises(ValueError, match="holds no text"):
        prose(tmp_path)
    with pytest.raises(ValueError, match="windows of 64 need more"):
        Prose("short")
    (tmp_path / "broken.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=r"broken\.ipynb is no notebook"):
        prose(tmp_path)
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt is not UTF-8 text"):
        prose(tmp_path / "latin.txt")


def test_a_corpus_from_the_net_needs_its_checksum(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    body = b"public words " * 20
    with serving() as server:
        server.files["words.txt"] = body
        text = downloaded(server.url("words.txt"), sha256(body).hexdigest(), length=16).text
        assert text == plain(body.decode())
        (tmp_path / "text" / "words.txt").unlink()
        with pytest.raises(OSError, match="has not the SHA-256 on record"):
            downloaded(server.url("words.txt"), "0" * 64)
