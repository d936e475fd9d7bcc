"""The log as text: one row per line of JSON. Exports and the mirror beside the store are made of such lines.

    as_line(row)                  -> str
    from_line(text, latest_ms)    -> Row | Undo; ValueError says what is wrong with the line
    gather(lines, latest_ms)      -> Gathered(rows, line_of, faults): a whole file

A file starts with HEADER. An undo line takes back a row above it, so that a mirror is only ever added to.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from diffusion_lab.quiz.memory import from_settings
from diffusion_lab.quiz.records import TABLES, Row, Setting, check, is_uuid, kind_of, short

FORMAT, VERSION = "diffusion-lab-quiz-log", 1
HEADER = json.dumps({"format": FORMAT, "version": VERSION}, separators=(",", ":"))
MAX_LINE = 65_536


class Undo(NamedTuple):
    """Takes back the row `uuid` of table `of`. Only in text: in the store the row itself bears the flag."""

    uuid: str
    of: str


class Gathered(NamedTuple):
    """What a file of the log holds: rows by uuid, their line numbers, and (line number, what is wrong)."""

    rows: dict[str, Row]
    line_of: dict[str, int]
    faults: list[tuple[int, str]]


def as_line(row: Row | Undo) -> str:
    """One line of JSON, without the newline."""
    kind = "undo" if isinstance(row, Undo) else kind_of(row)
    return json.dumps({"kind": kind, **row._asdict()}, separators=(",", ":"))


def from_line(text: str, latest_ms: int) -> Row | Undo:
    """The row of a line, checked field by field. ValueError: not such a line, or dated after latest_ms."""
    fields = _object(text)
    kind = fields.pop("kind", None)
    if kind == "undo":
        return _undo(fields)
    if not isinstance(kind, str) or kind not in TABLES:
        raise ValueError(f"kind is {short(kind)}; expected one of {', '.join(TABLES)}, undo.")
    row_type = TABLES[kind]
    _same_names(set(fields), set(row_type._fields))
    row = row_type(**fields)
    check(row)
    if row.at_ms > latest_ms:
        raise ValueError(f"at_ms is {row.at_ms}, in the future: check the clock where it comes from.")
    if isinstance(row, Setting):
        _ = from_settings({row.key: json.loads(row.value_json)}).weights  # ValueError: no model has these
    return row


def gather(lines: Iterable[bytes], latest_ms: int) -> Gathered:
    """Reads a file of the log to its end. Rows with faults are left out; equal rows count once."""
    found, number = Gathered({}, {}, []), 0
    for number, line in enumerate(lines, start=1):
        try:
            if number == 1:
                _check_header(line)
            elif line.strip():
                row = from_line(_text(line), latest_ms)
                _take(found.rows, row)
                found.line_of[row.uuid] = number
        except ValueError as error:
            found.faults.append((number, str(error)))
    if number == 0:
        found.faults.append((1, "the file is empty."))
    return found


def same(one: Row, other: Row) -> bool:
    """Whether two rows with one uuid tell the same; only one of them may have been undone."""
    return one._replace(undone=0) == other._replace(undone=0)


def _take(rows: dict[str, Row], row: Row | Undo) -> None:
    known = rows.get(row.uuid)
    if isinstance(row, Undo):
        if known is None:
            raise ValueError(f"an undo of {row.uuid}, which is not above it in the file.")
        rows[row.uuid] = known._replace(undone=1)
    elif known is not None and not same(known, row):
        raise ValueError(f"uuid {row.uuid} stands above with other contents.")
    else:
        rows[row.uuid] = row._replace(undone=max(row.undone, known.undone if known else 0))


def _check_header(line: bytes) -> None:
    fields = _object(_text(line))
    if fields.get("format") != FORMAT:
        raise ValueError(f"this is no log of the quiz: its first line must be {HEADER}")
    if fields.get("version") != VERSION:
        version = short(fields.get("version"))
        raise ValueError(f"the log has version {version}, this Diffusion Lab reads {VERSION}: update it.")


def _text(line: bytes) -> str:
    if len(line) > MAX_LINE:
        raise ValueError(f"the line is longer than {MAX_LINE} bytes.")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8.") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no valid JSON at column {error.colno}: {error.msg}.") from None
    except ValueError:  # an integer of thousands of digits
        raise ValueError("a number is too long.") from None
    if not isinstance(value, dict):
        raise ValueError("a JSON object {...} is expected.")
    return value


def _undo(fields: Mapping[str, Any]) -> Undo:
    _same_names(set(fields), set(Undo._fields))
    if not is_uuid(fields["uuid"]) or fields["of"] not in list(TABLES):
        raise ValueError("an undo names the uuid of a row and its table.")
    return Undo(**fields)


def _same_names(found: set[str], wanted: set[str]) -> None:
    for names, what in ((wanted - found, "is missing"), (found - wanted, "is not a field of this kind")):
        if names:
            raise ValueError(f"{short(min(names))} {what}.")
