"""Logs of two computers join without loss, in any order; a hostile file changes nothing."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffusion_lab.quiz.clock import DAY_MS, MINUTE_MS, Moment
from diffusion_lab.quiz.loglines import HEADER, MAX_LINE, as_line
from diffusion_lab.quiz.memory import AGAIN, GOOD, Answer
from diffusion_lab.quiz.progress import record, set_aside, states, suspended, tried
from diffusion_lab.quiz.records import Review, stamp
from diffusion_lab.quiz.store import open_store
from diffusion_lab.quiz.transfer import exported, import_log

from .stores import NOON, agrees, later


@pytest.fixture
def two(tmp_path):
    with open_store(NOON, str(tmp_path / "one")) as one, open_store(NOON, str(tmp_path / "two")) as two:
        yield one, two


def export(store, path):
    path.write_text("\n".join(exported(store)) + "\n")
    return str(path)


def log(store):
    return list(exported(store))


def test_two_computers_end_with_the_same_log_and_states(two, tmp_path):
    one, two = two
    record(one, "a", GOOD, NOON)
    record(two, "a", AGAIN, later(1))
    record(two, "b", GOOD, later(1))
    tried(two, "ddpm", True, later(1))
    set_aside(one, "b", "suspend", later(2))
    one.choose("interview", "2027-01-15", NOON)
    two.choose("interview", "2027-02-01", later(1))
    first, second = export(one, tmp_path / "1"), export(two, tmp_path / "2")
    assert import_log(one, second, later(2)) == (4, 0)
    assert import_log(two, first, later(2)) == (3, 0)
    assert log(one) == log(two)
    assert states(one) == states(two)
    assert states(one)["a"].reps == 2
    assert suspended(two) == {"b"}
    assert one.settings() == two.settings() == {"interview": "2027-02-01"}
    assert agrees(one)


def test_importing_twice_changes_nothing(two, tmp_path):
    one, two = two
    record(one, "a", GOOD, NOON)
    path = export(one, tmp_path / "log")
    import_log(two, path, NOON)
    before = log(two)
    assert import_log(two, path, NOON) == (0, 1)
    assert log(two) == before == log(one)


def test_what_was_undone_on_one_computer_is_undone_on_both(two, tmp_path):
    one, two = two
    record(one, "a", GOOD, NOON)
    import_log(two, export(one, tmp_path / "early"), NOON)
    one.undo()
    import_log(two, export(one, tmp_path / "late"), NOON)
    assert states(two) == {}
    # The earlier export does not bring it back.
    import_log(one, str(tmp_path / "early"), NOON)
    assert states(one) == {}
    # What was taken back elsewhere is no longer on this computer's stack.
    assert two.undo() is None


def test_undo_goes_past_answers_that_were_undone_elsewhere(two, tmp_path):
    one, two = two
    record(one, "a", GOOD, NOON)
    record(one, "b", GOOD, NOON)
    import_log(two, export(one, tmp_path / "log"), NOON)
    rows = [row._replace(undone=int(row.card_id == "b")) for row in two.rows("review")]
    (tmp_path / "flagged").write_text("\n".join([HEADER, *map(as_line, rows)]))
    import_log(one, str(tmp_path / "flagged"), NOON)
    assert one.undo().card_id == "a"


def test_the_mirror_is_a_log_like_any_other(two):
    one, two = two
    record(one, "a", GOOD, NOON)
    record(one, "b", GOOD, NOON)
    one.undo()
    import_log(two, one.files.mirror, NOON)
    assert log(two) == log(one)


# Hostile files

GOOD_ROW = Review("0" * 32, *stamp(NOON)[1:], "a", 3, "{}", None, None, "today", None, "x")


def line(**changes):
    return json.dumps({"kind": "review", **GOOD_ROW._asdict(), **changes})


def setting(key, value_json):
    start = dict(zip(GOOD_ROW._fields[:5], GOOD_ROW))
    return json.dumps({"kind": "setting", **start, "key": key, "value_json": value_json})


HOSTILE = {
    "no json": ("{", "2: no valid JSON at column"),
    "a list": ("[1]", "2: a JSON object"),
    "deep nesting": ("[" * 50_000, "2: the JSON is nested too deeply"),
    "a huge number": ('{"at_ms": ' + "9" * 6000 + "}", "2: a number is too long"),
    "a huge line": (line(mode="x" * MAX_LINE), f"2: the line is longer than {MAX_LINE}"),
    "not utf-8": (b"\xff\xfe{}", "2: the line is not UTF-8"),
    "unknown kind": (line(kind="trick"), "2: kind is 'trick'; expected one of review"),
    "kind of no text": (line(kind=["review"]), "2: kind is"),
    "missing field": ('{"kind": "review"}', "2: 'at_ms' is missing"),
    "field too many": (line(extra=1), "2: 'extra' is not a field"),
    "rating 9": (line(rating=9), "2: rating is 9; expected 1"),
    "rating text": (line(rating="3"), "2: rating is '3'"),
    "rating true": (line(rating=True), "2: rating is True"),
    "time is no whole number": (line(at_ms=1e12), "2: at_ms is 1000000000000.0"),
    "nan": (line(at_ms=float("nan")), "2: at_ms is nan"),
    "before the program": (line(at_ms=0), "2: at_ms is 0"),
    "day of another time": (line(study_day=GOOD_ROW.study_day + 1), "2: study_day"),
    "offset of a week": (line(utc_offset_min=10_080), "2: utc_offset_min is 10080"),
    "escape codes in an id": (line(card_id="a\x1b]52;c;aGk=\x07"), r"2: card_id is 'a\x1b]52"),
    "direction marks": (line(card_id="a\u202eb"), r"2: card_id is 'a\u202eb'"),
    "half a character": (line(card_id="\ud800"), "2: card_id is"),
    "uuid of another form": (line(uuid="A" * 32), "2: uuid is"),
    "score is no json": (line(score_json="{"), "2: score_json is"),
    "score with nan": (line(score_json='{"score": NaN}'), "2: score_json is"),
    "score is an object, no text": (line(score_json={}), "2: score_json is {}; expected an object"),
    "score is a list": (line(score_json="[1]"), "2: score_json is '[1]'; expected an object"),
    "setting is no json": (setting("minutes", "{"), "2: value_json is '{'; expected JSON"),
    "retention of two": (setting("retention", "2"), "2: the wanted recall is 2.0"),
    "weights of kilobytes": (setting("weights", json.dumps("x" * 9000)), "2: the weights of the model"),
    "undo of nothing": (json.dumps({"kind": "undo", "uuid": "1" * 32, "of": "review"}), "2: an undo of"),
    "undo of a table": (json.dumps({"kind": "undo", "uuid": "1" * 32, "of": "alias"}), "2: an undo names"),
    "weights that no model has": (setting("weights", "[1]"), "2: 1 weights were given"),
    "one uuid, two contents": (f"{line()}\n{line(rating=1)}", f"3: uuid {'0' * 32} stands above"),
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_line_is_named_and_nothing_is_imported(two, tmp_path, text):
    bad, words = text
    good = as_line(GOOD_ROW._replace(uuid="a" * 32))
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        b"\n".join([HEADER.encode(), bad if isinstance(bad, bytes) else bad.encode(), good.encode()])
    )
    store, _ = two
    with pytest.raises(ValueError) as error:  # noqa: PT011
        import_log(store, str(path), NOON)
    message = str(error.value)
    assert message.startswith(f"{path}:{words}")
    assert message.count(f"{path}:") == 1
    assert message.endswith("Nothing was imported.")
    assert message.replace("\n", "").isprintable()
    assert len(message) < 1000
    assert log(store) == [HEADER]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "1: the file is empty"), ("dear diary", "1: no valid JSON"), ('{"format": 1}', "1: this is no log"),
     (HEADER.replace("1}", "2}"), "1: the log has version 2")],
)  # fmt: skip
def test_a_file_without_our_first_line_is_refused(two, tmp_path, text, words):
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=f":{words}"):
        import_log(two[0], str(path), NOON)


def test_a_file_that_is_not_there_is_said(two, tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ValueError, match="cannot be read"):
            import_log(two[0], str(path), NOON)


def test_a_row_dated_after_tomorrow_is_refused(two, tmp_path):
    path = tmp_path / "log.jsonl"
    tomorrow, beyond = (Moment(NOON.at_ms + DAY_MS + extra, 60) for extra in (0, 1))
    for at, refused in ((tomorrow, False), (beyond, True)):
        path.write_text(
            f"{HEADER}\n{as_line(GOOD_ROW._replace(uuid='b' * 32, at_ms=at.at_ms, study_day=20523))}"
        )
        if refused:
            with pytest.raises(ValueError, match="in the future"):
                import_log(two[0], str(path), NOON)
        else:
            assert import_log(two[0], str(path), NOON) == (1, 0)


def test_a_uuid_that_the_store_knows_otherwise_is_named(two, tmp_path):
    store, _ = two
    row = record(store, "a", GOOD, NOON).review
    before = log(store)
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([HEADER, as_line(GOOD_ROW), as_line(row._replace(rating=1))]))
    with pytest.raises(
        ValueError, match=rf"log.jsonl:3: uuid {row.uuid} is in the store with other contents"
    ):
        import_log(store, str(path), NOON)
    assert log(store) == before


def test_only_the_first_faults_are_shown(two, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([HEADER, *["{"] * 30]))
    with pytest.raises(ValueError, match="and 20 more") as error:
        import_log(two[0], str(path), NOON)
    assert str(error.value).count(":") < 60


# Any interleaving

ACTS = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from("abc"), st.integers(1, 4)),
    st.tuples(st.sampled_from(["suspend", "resume", "bury"]), st.sampled_from("abc")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("merge")),
    st.tuples(st.just("other")),  # go on at the other computer
)


def replay_by_hand(store):
    """The states by the plainest reading of the log."""
    answers = {}
    for row in sorted(store.rows("review"), key=lambda row: (row.at_ms, row.uuid)):
        if not row.undone:
            answers.setdefault(row.card_id, []).append(Answer(row.rating, row.study_day, row.card_id))
    return {card: store.memory().replay(rows) for card, rows in answers.items()}


def suspended_by_hand(store):
    marks = {}
    for row in sorted(store.rows("mark"), key=lambda row: (row.at_ms, row.uuid)):
        if not row.undone and row.what != "bury":
            marks[row.card_id] = row.what
    return {card for card, what in marks.items() if what == "suspend"}


@given(st.lists(st.tuples(ACTS, st.integers(-500, 4000)), max_size=25))
@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_interleaving_equals_the_replay_of_the_log(tmp_path_factory, acts):
    folder = tmp_path_factory.mktemp("interleaving")
    with open_store(NOON, str(folder / "one")) as one, open_store(NOON, str(folder / "two")) as two:
        here, there, at = one, two, NOON
        for act, minutes in acts:
            at = at._replace(at_ms=at.at_ms + minutes * MINUTE_MS)
            match act:
                case ("answer", card, grade):
                    record(here, card, grade, at)
                case ("undo",):
                    here.undo()
                case ("merge",):
                    import_log(here, export(there, folder / "log"), later(9000))
                case ("other",):
                    here, there = there, here
                case (what, card):
                    set_aside(here, card, what, at)
            assert states(here) == replay_by_hand(here)
            assert suspended(here) == suspended_by_hand(here)
        import_log(one, export(two, folder / "log"), later(9000))
        import_log(two, export(one, folder / "log"), later(9000))
        assert log(one) == log(two)
        assert states(one) == states(two) == replay_by_hand(one)
