"""What the log says about the user: pure functions of answers and states; nothing is printed.

    heatmap(answers)                 answers per study day
    streak(answers, day)             days in a row with an answer
    forecast(states, day, days)      cards due per study day to come
    calibration(answers)             confidence 1-3 against the result
    confident_misses(answers, day)   cards to ask first today
    report(...)                      all of it and readiness per topic, as a dict for JSON

answers: progress.answers(store), the reviews that count, by present card ids.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from diffusion_lab.quiz.clock import date_of
from diffusion_lab.quiz.memory import AGAIN, Memory, State
from diffusion_lab.quiz.plan import Question
from diffusion_lab.quiz.readiness import readiness
from diffusion_lab.quiz.records import Review

SCHEMA, VERSION = "diffusion-lab/quiz-stats", 1
_Z95 = 1.959963984540054


class Calibrated(NamedTuple):
    """Answers of one confidence: how many, the share that held (not Again), its 95 % Wilson interval."""

    confidence: int
    answers: int
    share: float | None
    low: float
    high: float


def heatmap(answers: Iterable[Review]) -> dict[int, int]:
    """Answers per study day, as stored: a later journey or clock change moves none."""
    return dict(sorted(Counter(review.study_day for review in answers).items()))


def streak(answers: Iterable[Review], day: int) -> int:
    """Days in a row with an answer, up to today or, if there is none yet today, up to yesterday."""
    days = {review.study_day for review in answers}
    last = day if day in days else day - 1
    length = 0
    while last - length in days:
        length += 1
    return length


def forecast(states: Mapping[str, State], day: int, days: int = 14) -> list[int]:
    """Cards that come due on each day from today on, if none is answered; overdue ones count today."""
    due = Counter(max(state.due_day, day) for state in states.values())
    return [due[day + ahead] for ahead in range(days)]


def calibration(answers: Iterable[Review]) -> list[Calibrated]:
    """For each confidence 1, 2, 3 the share of answers that were not Again, with a 95 % Wilson interval."""
    told = [answer for answer in answers if answer.confidence is not None]
    table = []
    for level in (1, 2, 3):
        held = [answer.rating > AGAIN for answer in told if answer.confidence == level]
        share = sum(held) / len(held) if held else None
        table.append(Calibrated(level, len(held), share, *wilson(sum(held), len(held))))
    return table


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Wilson 1927."""
    if trials == 0:
        return 0.0, 1.0
    p, z2 = hits / trials, _Z95**2
    centre = p + z2 / (2 * trials)
    half = _Z95 * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    scale = 1 + z2 / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def confident_misses(answers: Iterable[Review], day: int) -> set[str]:
    """Cards missed at confidence 3 on the last day before this one on which they were studied."""
    earlier = [answer for answer in answers if answer.study_day < day]
    last = {answer.card_id: answer.study_day for answer in sorted(earlier, key=lambda row: row.study_day)}
    return {
        answer.card_id
        for answer in earlier
        if answer.study_day == last[answer.card_id] and answer.confidence == 3 and answer.rating == AGAIN
    }


def report(
    questions: Sequence[Question],
    answers: Sequence[Review],
    states: Mapping[str, State],
    memory: Memory,
    day: int,
    interview: int | None,
) -> dict[str, object]:
    """Everything above for JSON; days are ISO dates. Without an interview day, readiness is for today."""
    present = {card.id: states[card.id] for card in questions if card.id in states}
    due = forecast(present, day)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "day": _iso(day),
        "interview": None if interview is None else _iso(interview),
        "answers": len(answers),
        "streak": streak(answers, day),
        "cards": {"total": len(questions), "seen": len(present), "due": due[0]},
        "leeches": sorted(card for card, state in present.items() if state.leech),
        "heatmap": {_iso(date): count for date, count in heatmap(answers).items()},
        "forecast": {_iso(day + ahead): count for ahead, count in enumerate(due)},
        "calibration": [row._asdict() for row in calibration(answers)],
        "readiness": [
            row._asdict() for row in readiness(questions, answers, states, memory, interview or day)
        ],
    }


def _iso(day: int) -> str:
    return date_of(day).isoformat()
