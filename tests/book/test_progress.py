"""What the page keeps is the terminal's own log, and a browser that keeps nothing is no fault."""

import json

import pytest

from diffusion_lab.quiz.clock import DAY_MS, Moment
from diffusion_lab.quiz.loglines import HEADER, Undo, as_line, gather
from diffusion_lab.quiz.records import Exercise, Mark, Review, Setting, stamp
from diffusion_lab.quiz.store import open_store
from diffusion_lab.quiz.transfer import exported, import_log
from tests.book.histories import NOON, studied
from tests.book.pages import javascript

REVIEW = Review(*stamp(NOON), "cfg-law", 4, "{}", 2, 900, "session é", "s1", "model")
# A browser's storage as far as the page knows it: keys of its own, and a limit.
STORAGE = """
class Storage {
  #room;
  constructor(kept = {}, room = 1e6) { Object.assign(this, kept); this.#room = room; }
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }
  setItem(key, text) { if (text.length > this.#room) throw new Error("full"); this[key] = text; }
}
const KEY = "diffusion-lab/log/1";
"""


def log(*rows):
    return "".join(f"{line}\n" for line in (HEADER, *map(as_line, rows)))


def through_the_page(text, now=NOON.at_ms):
    """A log that the page took in and gave back."""
    return javascript("const result = l.exported(l.parsed(...given));", [text, now], l="log.mjs")


def refused(text):
    """Why the page does not take a log in."""
    code = "let result = ''; try { l.parsed(...given); } catch (error) { result = error.message; }"
    return javascript(code, [text, NOON.at_ms], l="log.mjs")


def test_answers_of_the_page_are_rows_that_the_terminal_accepts():
    code = """
    const grade = { rating: "hard", share: 0.625 };
    const days = [0, 3.9, 4.1, 30].map((hours) => new Date(given + hours * 3600000));
    const result = l.exported(days.map((now) => p.review("cfg-law", grade, 12345.6, null, now)));
    """
    text = javascript(code, NOON.at_ms, p="progress.mjs", l="log.mjs")
    found = gather(text.encode().splitlines(), NOON.at_ms + 40 * 3_600_000)
    assert not found.faults
    assert {row.rating for row in found.rows.values()} == {2}
    assert {json.loads(row.score_json)["score"] for row in found.rows.values()} == {0.625}
    assert len(found.rows) == 4


def test_an_answer_is_never_dated_before_the_last_one():
    code = """
    const rows = given.map((at_ms, undone) => ({ kind: "review", at_ms, undone }));
    const last = p.lastReview(rows);
    const now = new Date(last - 86400000);
    const result = [p.lastReview([]), last, p.review("c", { rating: "good", share: 1 }, 5, last, now).at_ms];
    """
    assert javascript(code, [NOON.at_ms, NOON.at_ms + 99], p="progress.mjs") == [
        None,
        NOON.at_ms,
        NOON.at_ms + 1,
    ]


def test_a_log_of_the_terminal_comes_back_byte_for_byte(tmp_path):
    with open_store(NOON, str(tmp_path)) as store:
        studied(store, [f"card-{n}-ᾱ" for n in range(17)], days=11)
        store.choose("interview", 20_600, NOON)
        store.append(Exercise(*stamp(NOON), "02-forward/q_sample", 1, 2, 0, 4321, '{"tries": [1.5, null]}'))
        text = "".join(f"{line}\n" for line in exported(store))
    assert '"undone":1' in text
    assert "\\u1fb1" in text
    assert through_the_page(text) == text


def test_a_mirror_with_lines_that_take_rows_back_means_the_same(tmp_path):
    mark = Mark(*stamp(Moment(NOON.at_ms + 5, 60)), "cfg-law", "bury")
    text = log(REVIEW, mark, Undo(REVIEW.uuid, "review"))
    found = gather(through_the_page(text).encode().splitlines(), NOON.at_ms + 1000)
    assert not found.faults
    assert found.rows == gather(text.encode().splitlines(), NOON.at_ms + 1000).rows
    with open_store(NOON, str(tmp_path)) as store:
        (tmp_path / "log").write_text(through_the_page(text))
        assert import_log(store, str(tmp_path / "log"), NOON).new == 2


def test_logs_join_by_uuid_and_what_was_taken_back_stays_so():
    other = Review(
        *stamp(Moment(NOON.at_ms - 9, 0)), "cfg-law", 1, "{}", None, None, "session", None, "model"
    )
    code = """
    const [mine, theirs] = given.map((text) => l.parsed(text, 2e12));
    const both = [l.joined(mine, theirs), l.joined(theirs, mine), l.joined(l.joined(mine, theirs), theirs)];
    const result = both.map(l.exported);
    """
    given = [log(REVIEW), log(REVIEW._replace(undone=1), other)]
    one, two, three = javascript(code, given, l="log.mjs")
    assert one == two == three
    assert [json.loads(line).get("undone") for line in one.splitlines()] == [None, 0, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Line 1 cannot be read"),
        ('{"format": "x"}', "no log of the quiz"),
        ("[]", "no log of the quiz"),
        (HEADER.replace("1}", "2}"), "version 2"),
        (f"{HEADER}\n{{}}", "Line 2 is no row of the log (its kind)"),
        (f"{HEADER}\nhello", "Line 2 cannot be read"),
        (log(REVIEW)[:-20], "Line 2 cannot be read"),
        (log(REVIEW._replace(rating=5)), "its rating"),
        (log(REVIEW._replace(study_day=REVIEW.study_day + 1)), "its study_day"),
        (log(REVIEW._replace(score_json="[]")), "its score_json"),
        (log(REVIEW._replace(card_id="a\u202eb")), "its card_id"),
        (log(REVIEW).replace('"rating"', '"more": 1, "rating"'), "its more"),
        (log(REVIEW, REVIEW._replace(rating=1)), "Two rows have the uuid"),
        (log(Undo(REVIEW.uuid, "review")), "takes back a row that is not above it"),
        (log(Setting(*stamp(NOON), "retention", "3")), "its value_json"),
        (log(Setting(*stamp(NOON), "weights", "[1, 2]")), "its value_json"),
        (log(Mark(*stamp(NOON), "cfg-law", "burn")), "its what"),
        (log(Review(*stamp(Moment(NOON.at_ms + 2 * DAY_MS, 0)), *REVIEW[5:])), "in the future"),
    ],
)
def test_what_the_terminal_refuses_the_page_refuses_with_a_sentence(text, said):
    sentence = refused(text)
    assert said in sentence
    assert sentence.endswith("nothing was imported.")
    assert gather(text.encode().splitlines(), NOON.at_ms + DAY_MS).faults


def test_a_storage_gives_back_what_was_kept():
    row = json.loads(as_line(REVIEW))
    code = f"{STORAGE} const there = new Storage(); const result = [p.keep([given], there), p.opened(there)];"
    assert javascript(code, row, p="progress.mjs") == ["", {"rows": [row], "trouble": ""}]


def test_no_storage_a_full_one_and_a_newer_one_are_told_apart():
    code = f"""{STORAGE}
    const newer = new Storage({{ "diffusion-lab/log/2": "whatever" }});
    const every = [undefined, new Storage({{}}, 1), newer];
    const told = every.map((there) => [p.opened(there).trouble, p.keep([given], there)]);
    const result = {{ told, sentences: p.SENTENCES, newer: Object.keys(newer) }};
    """
    found = javascript(code, json.loads(as_line(REVIEW)), p="progress.mjs")
    none, full, newer = (found["sentences"][name] for name in ("none", "full", "newer"))
    assert found["told"] == [[none, none], ["", full], [newer, newer]]
    assert found["newer"] == ["diffusion-lab/log/2"]


@pytest.mark.parametrize("broken", ["{not json", "3", '{"rows": []}', "[{}, 3, null, ROW]"])
def test_what_cannot_be_read_is_set_aside_and_never_written_over(broken):
    row = as_line(REVIEW)
    code = f"""{STORAGE}
    const there = new Storage({{ [KEY]: given.broken, [`${{KEY}}/damaged/1`]: "older" }});
    const {{ rows, trouble }} = p.opened(there);
    const kept = p.keep([...rows, given.row], there);
    const aside = there.getItem(`${{KEY}}/damaged/2`);
    const result = {{ rows, trouble, kept, aside, after: p.opened(there) }};
    """
    given = {"broken": broken.replace("ROW", row), "row": json.loads(row)}
    found = javascript(code, given, p="progress.mjs")
    assert len(found["rows"]) == broken.count("ROW")
    assert "could not be read" in found["trouble"]
    assert found["kept"] == ""
    assert found["aside"] == given["broken"]
    assert found["after"]["trouble"] == ""
