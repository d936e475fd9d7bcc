"""What the page remembers is the terminal's own log."""

import json
import subprocess

from diffusion_lab.quiz.clock import Moment
from diffusion_lab.quiz.loglines import HEADER, Undo, as_line, gather
from diffusion_lab.quiz.records import Mark, Review, stamp
from tests.book.skips import node_or_skip
from tests.book.test_marking import WIDGETS

AT = Moment(1_790_000_000_000, 120)


def progress(code):
    """What JavaScript with the module `p` prints."""
    script = f'import * as p from "{(WIDGETS / "progress.mjs").as_uri()}";\n{code}'
    command = [node_or_skip(), "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    return done.stdout


def log(*rows):
    return "".join(f"{line}\n" for line in (HEADER, *map(as_line, rows)))


def test_answers_of_the_page_are_rows_that_the_terminal_accepts():
    code = """
    const days = [0, 3.9, 4.1, 30].map((hours) => new Date(1790000000000 + hours * 3600000));
    const made = days.map((now) => p.review("cfg-law", { rating: "hard", share: 0.625 }, 12345.6, now));
    process.stdout.write(p.exported(made));
    """
    found = gather(progress(code).encode().splitlines(), AT.at_ms + 40 * 3_600_000)
    assert not found.faults
    assert {row.rating for row in found.rows.values()} == {2}
    assert {json.loads(row.score_json)["score"] for row in found.rows.values()} == {0.625}
    assert len(found.rows) == 4


def test_a_log_survives_the_page():
    review = Review(*stamp(AT), "cfg-law", 4, "{}", 2, 900, "session", "s1", "model")
    mark = Mark(*stamp(Moment(AT.at_ms + 5, 120)), "cfg-law", "bury")
    text = log(review, mark, Undo(review.uuid, "review"))
    code = f"process.stdout.write(p.exported(p.imported({json.dumps(text)}, [])));"
    found = gather(progress(code).encode().splitlines(), AT.at_ms + 1000)
    assert not found.faults
    assert found.rows == gather(text.encode().splitlines(), AT.at_ms + 1000).rows


def test_importing_twice_adds_nothing_and_what_was_undone_does_not_count():
    first = Review(*stamp(AT), "cfg-law", 3, "{}", None, None, "session", None, "model")
    second = Review(*stamp(Moment(AT.at_ms + 9, 0)), "cfg-law", 1, "{}", None, None, "session", None, "model")
    code = f"""
    const rows = p.imported({json.dumps(log(first, second))}, []);
    const again = p.imported({json.dumps(log(first, second, Undo(second.uuid, "review")))}, rows);
    const grades = [p.latest(rows), p.latest([...rows, ...again])].map((map) => [...map]);
    console.log(JSON.stringify([rows.length, again.length, ...grades]));
    """
    assert json.loads(progress(code)) == [2, 1, [["cfg-law", 1]], [["cfg-law", 3]]]


def test_what_is_no_log_is_refused_with_a_sentence():
    for text, said in (
        ("", "Line 1 cannot be read"),
        ('{"format": "x"}', "no log of the quiz"),
        (HEADER.replace("1}", "2}"), "version 2"),
        (HEADER + "\n{}", "Line 2 is no row"),
        (HEADER + "\nhello", "Line 2 cannot be read"),
    ):
        code = (
            f"try {{ p.imported({json.dumps(text)}, []); }} catch (error) {{ console.log(error.message); }}"
        )
        assert said in progress(code)


def test_a_full_or_broken_storage_is_no_error():
    code = """
    const full = { getItem: () => "[{}, 3, null]", setItem() { throw new Error("full"); } };
    const odd = { getItem: () => "{not json" };
    const seen = [full, odd, undefined].map((storage) => p.rows(storage));
    seen.push(p.remember([], full), p.remember([], undefined));
    console.log(JSON.stringify(seen));
    """
    assert json.loads(progress(code)) == [[], [], [], False, False]
