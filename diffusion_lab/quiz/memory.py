"""The model of memory: FSRS-6 (the `fsrs` package of open-spaced-repetition) on whole study days.

    memory = Memory()                                the package's weights; Memory(weights) for fitted ones
    state = memory.review(None, GOOD, day, card_id)  the first answer; later ones pass the state before
    memory.recall(state, day)                        probability of recall on a study day
    rating(must, share, late)                        the grade that a scored answer earns

Three choices differ from the package's defaults. Times are whole study days, so a gap is the number of
nights between two answers (fsrs alone counts periods of 24 h). There are no minute steps: a card failed
today may be asked again in the session, and FSRS-6 has a rule for a second review on the same day. The fuzz
that spreads due days is drawn from the card id and the count of its reviews, so a replay gives the same
days. `fsrs` is imported at the first review.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from diffusion_lab.quiz.seeded import Seeded

if TYPE_CHECKING:
    from datetime import datetime

    from fsrs import Card, Scheduler

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
LEECH_LAPSES = 8
MAX_STABILITY = 36_500.0
# Width of the fuzz, as in Anki and fsrs: (from day, to day, days of fuzz per day of interval between them).
FUZZ = ((2.5, 7.0, 0.15), (7.0, 20.0, 0.1), (20.0, math.inf, 0.05))


class Answer(NamedTuple):
    """What the model needs to know of one review. seed: the id of the card."""

    grade: int
    day: int
    seed: str


class State(NamedTuple):
    """What is known of one card: stability (days until recall falls to 0.9), difficulty 1-10, counts."""

    stability: float
    difficulty: float
    reps: int
    lapses: int
    last_day: int
    due_day: int

    @property
    def leech(self) -> bool:
        """Forgotten so often that another look at the card alone will not help: show what it builds on."""
        return self.lapses >= LEECH_LAPSES


def rating(must: Iterable[bool], share: float, late: bool) -> int:
    """A missed must-have point: Again. All of them but late, or under 70 % of the points: Hard. Else Good.

    share: points won over points possible, 0 to 1. Easy is never given by a score, only by hand.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"the share of points is {share}: it must lie between 0 and 1.")
    if not all(must):
        return AGAIN
    return HARD if late or share < 0.7 else GOOD


def fuzzed(interval: int, seed: str) -> int:
    """The interval in days, moved by a few per cent so that cards learnt together part company."""
    if interval < FUZZ[0][0]:
        return interval
    width = 1.0 + sum(share * max(min(interval, end) - start, 0.0) for start, end, share in FUZZ)
    low, high = max(2, round(interval - width)), round(interval + width)
    return low + Seeded(0, seed).below(high - low + 1)


def clamped(weights: Sequence[object] | None) -> tuple[float, ...]:
    """21 weights inside FSRS-6's bounds; None gives the package's own. ValueError: not 21 finite numbers."""
    from fsrs.scheduler import DEFAULT_PARAMETERS, LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS

    if weights is None:
        return DEFAULT_PARAMETERS
    if len(weights) != len(DEFAULT_PARAMETERS):
        raise ValueError(
            f"{len(weights)} weights were given; FSRS-6 has {len(DEFAULT_PARAMETERS)}. "
            "Fit them again with a tool for FSRS-6, or leave them out."
        )
    bounds = zip(LOWER_BOUNDS_PARAMETERS, map(_finite, weights), UPPER_BOUNDS_PARAMETERS)
    return tuple(min(max(w, low), high) for low, w, high in bounds)


def from_settings(settings: Mapping[str, object]) -> "Memory":
    """The model of memory that the user's settings `weights` and `retention` ask for."""
    weights, retention = settings.get("weights"), settings.get("retention", 0.9)
    if weights is not None and not isinstance(weights, list):
        raise ValueError("the weights of the model of memory must be a list of numbers.")
    return Memory(weights, _finite(retention))


def _finite(number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"the model of memory needs a finite number, not {ascii(number)[:40]}.")
    return float(number)


class Memory:
    """FSRS-6 with given weights (21 numbers, or the package's own) and the recall wanted on a due day."""

    def __init__(self, weights: Sequence[object] | None = None, retention: float = 0.9) -> None:
        if not 0.5 <= retention <= 0.99:
            raise ValueError(f"the wanted recall is {retention}: it must lie between 0.5 and 0.99.")
        self._given = weights
        self.retention = retention

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """The weights in use, moved into FSRS's bounds."""
        return clamped(self._given)

    @cached_property
    def params_hash(self) -> str:
        """Names weights and wanted recall in every review: eight hexadecimal digits."""
        from zlib import crc32

        return f"{crc32(repr((self.weights, self.retention)).encode()):08x}"

    def review(self, state: State | None, grade: int, day: int, seed: str) -> State:
        """The state after one answer on a study day; a day before the last one counts as the last one."""
        return self.replay([Answer(grade, day, seed)], state)

    def replay(self, answers: Iterable[Answer], state: State | None = None) -> State:
        """The state after all answers, given in order of time. ValueError: there are none."""
        card = self._card(state) if state else None
        reps, lapses, last = (state.reps, state.lapses, state.last_day) if state else (0, 0, None)
        seed = ""
        for answer in answers:
            # A flight west can bring a date back: the gap is then 0, never negative.
            day = answer.day if last is None else max(answer.day, last)
            lapses += answer.grade == AGAIN and last is not None and day > last
            card, reps, last, seed = self._after(card, answer.grade, day), reps + 1, day, answer.seed
        if card is None or card.stability is None or card.difficulty is None or last is None:
            raise ValueError("there is no review to replay.")
        due = last + fuzzed((card.due - self._date(last)).days, f"{seed}:{reps}")
        return State(card.stability, card.difficulty, reps, lapses, last, due)

    def recall(self, state: State | None, day: int) -> float:
        """R(t) = (1 + f t / S)^(-w20), R(S) = 0.9; t: days since the last review. Never seen: 0."""
        if state is None:
            return 0.0
        return self._scheduler.get_card_retrievability(self._card(state), self._date(day))

    @cached_property
    def _scheduler(self) -> "Scheduler":
        from fsrs import Scheduler

        return Scheduler(self.weights, self.retention, (), (), enable_fuzzing=False)

    def _after(self, card: "Card | None", grade: int, day: int) -> "Card":
        from fsrs import Card, Rating

        # An explicit id: without one, Card() sleeps for a millisecond.
        new, _ = self._scheduler.review_card(card or Card(0), Rating(grade), self._date(day))
        # ts-fsrs has this ceiling, fsrs has none.
        new.stability = min(new.stability or 0.0, MAX_STABILITY)
        return new

    def _card(self, state: State) -> "Card":
        from fsrs import Card
        from fsrs import State as Phase

        last = self._date(state.last_day)
        return Card(0, Phase.Review, None, state.stability, state.difficulty, last, last)

    @staticmethod
    def _date(day: int) -> "datetime":
        from datetime import UTC, datetime, timedelta

        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
