"""Which cards today.

    today(questions, states, day, seconds)                      no date set: plain FSRS order
    toward(questions, states, day, seconds, interview, memory)  the most recall on the interview day
    mean_recall(questions, states, memory, day)                 over all cards; one never seen counts 0

The first two give card ids in the order to ask them, until their times fill the budget. A failed card is
asked again by the sitting, not by the plan. `today` needs no model of memory: nothing heavy is loaded before
the first question.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

from diffusion_lab.quiz.memory import AGAIN, GOOD, Memory, State

# From here on each answer is chosen for the interview day alone; before that, spacing pays more.
LAST_DAYS = 7
# Chance that a card never seen is answered well. It only weighs new cards against old ones.
FIRST_TRY = 0.6


@runtime_checkable
class Question(Protocol):
    """What the plan must know of a card. time: seconds. Of one group (not ""), one card is asked a day."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def time(self) -> int: ...
    @property
    def group(self) -> str: ...


def today(
    questions: Sequence[Question],
    states: Mapping[str, State],
    day: int,
    seconds: int,
    *,
    skip: Collection[str] = (),
    first: Collection[str] = (),
) -> list[str]:
    """Cards due by FSRS, the weakest first, then new ones from the easiest level up, topics taking turns.

    skip: suspended, buried or taken cards. first: due cards that lead, such as confident misses.
    """
    due = _due(questions, states, day)
    due.sort(key=lambda card: card.id not in first)
    return _fill([*due, *new(questions, states)], seconds, *_closed(questions, states, day, skip))


def toward(
    questions: Sequence[Question],
    states: Mapping[str, State],
    day: int,
    seconds: int,
    interview: int,
    memory: Memory,
    *,
    skip: Collection[str] = (),
    first: Collection[str] = (),
) -> list[str]:
    """The cards whose answer today does most for recall on the interview day; cards of `first` lead.

    Until a week before: new cards, then due ones, then whatever gains most. In the last week: the greatest
    expected gain per second, new cards and old alike. ValueError: the day is past.
    """
    if interview < day:
        raise ValueError("the interview day is past: set another one, or none.")
    unseen = gain(None, day, interview, memory)
    gains = {
        card.id: (gain(states[card.id], day, interview, memory) if card.id in states else unseen) / card.time
        for card in questions
    }
    fresh = new(questions, states)
    seen = [card for card in questions if card.id in states]
    order = sorted([*fresh, *seen], key=lambda card: -gains[card.id])
    if interview - day > LAST_DAYS:
        order = [*fresh, *_due(questions, states, day), *order]
    order.sort(key=lambda card: card.id not in first)
    return _fill(order, seconds, *_closed(questions, states, day, skip))


def gain(state: State | None, day: int, interview: int, memory: Memory) -> float:
    """Expected recall on the interview day after one answer today, minus the recall without it."""
    chance = FIRST_TRY if state is None else memory.recall(state, day)
    well, badly = (memory.recall(memory.review(state, grade, day, ""), interview) for grade in (GOOD, AGAIN))
    return chance * well + (1 - chance) * badly - memory.recall(state, interview)


def new(questions: Sequence[Question], states: Mapping[str, State]) -> list[Question]:
    """Cards never answered: by level, within a level one of each topic in turn, else in deck order."""
    turns: Counter[tuple[int, str]] = Counter()
    keyed = []
    for place, card in enumerate(questions):
        if card.id not in states:
            turns[card.level, card.topic] += 1
            keyed.append((card.level, turns[card.level, card.topic], place, card))
    return [card for *_, card in sorted(keyed, key=lambda item: item[:3])]


def mean_recall(
    questions: Sequence[Question], states: Mapping[str, State], memory: Memory, day: int
) -> float:
    """Mean over all cards of the probability of recall on a day; a card never seen counts 0."""
    recalls = [memory.recall(states.get(card.id), day) for card in questions]
    return sum(recalls) / len(recalls) if recalls else 0.0


def _due(questions: Sequence[Question], states: Mapping[str, State], day: int) -> list[Question]:
    """Due cards, the weakest first: recall falls with days since the review over stability."""
    due = [card for card in questions if card.id in states and states[card.id].due_day <= day]
    return sorted(due, key=lambda card: (states[card.id].last_day - day) / states[card.id].stability)


def _closed(
    questions: Sequence[Question], states: Mapping[str, State], day: int, skip: Collection[str]
) -> tuple[set[str], set[str]]:
    """Cards and groups that are not asked any more on this day: skipped, or answered already."""
    done = [card for card in questions if card.id in states and states[card.id].last_day >= day]
    return {*skip, *(card.id for card in done)}, {card.group for card in done} - {""}


def _fill(ordered: Sequence[Question], seconds: int, out: set[str], groups: set[str]) -> list[str]:
    """Takes cards in order while time is left: none twice, none of `out`, one of each group."""
    queue: list[str] = []
    for card in ordered:
        if seconds <= 0:
            break
        if card.id not in out and card.group not in groups:
            queue.append(card.id)
            out.add(card.id)
            groups |= {card.group} - {""}
            seconds -= card.time
    return queue
