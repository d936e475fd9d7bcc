"""Drills in a notebook: printed verdicts, hints one by one, progress in the quiz's store.

With LAB_STRICT=1 a drill that does not pass stops the notebook: so the course's own tests run it.
"""

import json
import os
from datetime import datetime

from ..quiz.clock import moment
from ..quiz.faults import StoreError
from ..quiz.progress import exercises
from ..quiz.records import Exercise, stamp
from ..quiz.store import open_store
from .drill import Answer, load
from .grade import Verdict, grade

_HINTS_SEEN: dict[str, int] = {}
_SOLUTIONS_SEEN: set[str] = set()


def check(name: str, fn: Answer) -> Answer:
    """Say whether fn solves the drill, and why not. Returns fn if it does, else the reference: later cells
    never depend on a bug."""
    drill = load(name)
    verdict = grade(drill, fn)
    if verdict.tried:
        _keep(name, verdict)
    if verdict.passed:
        print(f"PASS  {name}")
        return fn
    if os.environ.get("LAB_STRICT"):
        raise AssertionError(f"{name}: {verdict.message}")
    if not verdict.tried:
        print(f'TODO  {name}: {verdict.message} hint("{name}", 1) helps; the reference stands in.')
    else:
        print(f"NOT YET  {name}: {verdict.message}\nThe reference stands in until it passes.")
    return drill.answer


def hint(name: str, number: int = 1) -> None:
    """Print one of the three hints."""
    drill = load(name)
    if not 1 <= number <= len(drill.hints):
        raise ValueError(f"hint {number} of {name}: there are hints 1 to {len(drill.hints)}.")
    _HINTS_SEEN[name] = max(number, _HINTS_SEEN.get(name, 0))
    print(f"Hint {number} of {len(drill.hints)}: {drill.hints[number - 1]}")


def solution(name: str) -> None:
    """Print the reference. The drill then counts as seen, not as known."""
    _SOLUTIONS_SEEN.add(name)
    print(load(name).solution)


def passed() -> dict[str, bool]:
    """Every drill that was tried, and whether it was ever passed without its solution."""
    with open_store(moment(datetime.now().astimezone())) as store:
        return {name: tries.alone for name, tries in exercises(store).items()}


def _keep(name: str, verdict: Verdict) -> None:
    """One row in the log; a store that cannot be opened costs the learner nothing but the row."""
    at = moment(datetime.now().astimezone())
    detail = json.dumps({"mistake": verdict.mistake})
    tried = int(verdict.passed), _HINTS_SEEN.get(name, 0), int(name in _SOLUTIONS_SEEN)
    try:
        with open_store(at) as store:
            store.append(Exercise(*stamp(at), name, *tried, None, detail))
    except (StoreError, OSError) as error:
        print(f"(Progress was not kept: {error})")
