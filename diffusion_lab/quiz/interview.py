"""Which question a mock interview asks next: a pure function of the cards, the answers so far and the time.

    script(cards, role, seed)                the questions to choose from, in the order of this interview
    following(script, turns, progress)       -> Step(card id, why) or None when the interview is over

An interview opens with a warm-up, then runs threads: a question, and follow-ups by the points that were
missed (three deep at most). Halfway there is one task (a formula, a bug, a number), near the end one
curveball.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from diffusion_lab.quiz.cards import Card
from diffusion_lab.quiz.seeded import Seeded

DEEPEST = 3
TASKS = ("formula", "bug", "numeric")
# Share of the interview after which each part is due.
TASK_AT, CURVEBALL_AT = 0.5, 0.75
# Topics that a role is asked about; the task that suits it best comes first.
ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "research": (
        ("foundations", "forward", "reverse", "objective", "targets", "weighting", "likelihood", "score",
         "sde", "samplers", "guidance", "flow", "generalisation", "discrete", "schedules"),
        ("formula", "numeric", "bug"),
    ),
    "applied": (
        ("foundations", "training", "latent", "architecture", "conditioning", "control", "adaptation",
         "guidance", "evaluation", "applications", "alignment", "targets", "comparison"),
        ("bug", "numeric", "formula"),
    ),
    "infra": (
        ("foundations", "systems", "samplers", "distillation", "latent", "architecture", "training",
         "discrete", "evaluation", "schedules"),
        ("bug", "numeric", "formula"),
    ),
}  # fmt: skip


class Turn(NamedTuple):
    """A question that was answered, and the cards that its answer leads to."""

    id: str
    follow: tuple[str, ...]


class Step(NamedTuple):
    """The next question and its part: opening, thread, follow-up, task or curveball."""

    id: str
    part: str


class Script(NamedTuple):
    """Ids in the order of this interview: openings, threads, tasks, curveballs."""

    openings: tuple[str, ...]
    threads: tuple[str, ...]
    tasks: tuple[str, ...]
    curveballs: tuple[str, ...]


def script(cards: Iterable[Card], role: str, seed: int, weak: Iterable[str] = ()) -> Script:
    """The cards that may be asked, shuffled by the seed. Threads on the topics of `weak` come first."""
    topics, tasks = ROLES[role]
    deck = Seeded(seed, role).shuffled(sorted(cards, key=lambda card: card.id))
    talk = [card for card in deck if card.kind == "open"]
    mine = [card for card in talk if card.topic in topics]
    lead = set(weak)
    threads = [card for card in mine if card.level in (2, 3)]
    threads.sort(key=lambda card: (card.topic not in lead, not card.grill))
    hard = [card for card in mine if card.level == 4]
    other = [card for card in talk if card.topic not in topics and card.level >= 3]
    work = [card for card in deck if card.kind in TASKS]
    work.sort(key=lambda card: (card.topic not in topics, tasks.index(card.kind), card.level == 1))
    openings = [card for card in mine if card.level == 1]
    return Script(_ids([*openings, *mine, *talk]), _one_per_topic(threads), _ids(work), _ids([*hard, *other]))


def _ids(cards: Iterable[Card]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(card.id for card in cards))


def _one_per_topic(cards: Sequence[Card]) -> tuple[str, ...]:
    """One card of each topic in turn, so that an interview is broad."""
    turn: dict[str, int] = {}
    keyed = []
    for place, card in enumerate(cards):
        turn[card.topic] = turn.get(card.topic, 0) + 1
        keyed.append((turn[card.topic], place, card))
    return _ids(card for _, _, card in sorted(keyed, key=lambda item: item[:2]))


def following(play: Script, turns: Sequence[Turn], progress: float) -> Step | None:
    """The next step. progress: share of the interview that is over; at 1 nothing more is asked.

    A follow-up that was a task, or a hard question, counts as the task, or the curveball.
    """
    asked = [turn.id for turn in turns]
    if progress >= 1:
        return None
    if not asked:
        return _first(play.openings, asked, "opening")
    for at, ids, part in ((TASK_AT, play.tasks, "task"), (CURVEBALL_AT, play.curveballs, "curveball")):
        step = _first(ids, asked, part)
        if step and progress >= at and not set(asked) & set(ids):
            return step
    follow = _follow_up(turns)
    return Step(follow, "follow-up") if follow else _first(play.threads, asked, "thread")


def _follow_up(turns: Sequence[Turn]) -> str:
    """The first follow-up of the last answer, unless the thread is three deep already."""
    asked = {turn.id for turn in turns}
    depth = 0
    for before, turn in zip(reversed(turns[:-1]), reversed(turns)):
        if turn.id not in before.follow:
            break
        depth += 1
    if depth >= DEEPEST:
        return ""
    return next((id for id in turns[-1].follow if id not in asked), "")


def _first(ids: Sequence[str], asked: Sequence[str], part: str) -> Step | None:
    id = next((id for id in ids if id not in asked), None)
    return Step(id, part) if id else None
