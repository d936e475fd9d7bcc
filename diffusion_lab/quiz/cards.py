"""A card as plain data: what the terminal asks, the book prints, Anki imports and JSON carries.

Texts are Markdown with TeX between dollars, as the author wrote them. A card is read-only; what changes from
one asking to the next (drawn values, the order of options) is in `asked.Asked`.
"""

from collections.abc import Mapping
from typing import NamedTuple

# Every kind of card, and the skill that it trains unless a tag says otherwise.
KIND_SKILL = {
    "open": "concept", "choice": "concept", "many": "concept", "numeric": "math", "formula": "math",
    "cloze": "concept", "order": "code", "bug": "code",
}  # fmt: skip
SKILLS = ("concept", "math", "code", "systems")


class Point(NamedTuple):
    """One thing a full answer says. `keywords` (keywords.py) pre-tick it; must points decide the grade."""

    must: bool
    text: str
    keywords: str
    line: int


class RedFlag(NamedTuple):
    """Something better not said; card `to` asks about it. Without keywords the text itself is sought."""

    text: str
    keywords: str
    to: str
    line: int


class FollowUp(NamedTuple):
    """Ask card `to` next when key point `missed` (from 1) was missed; 0: any point; None: none was missed."""

    missed: int | None
    to: str
    line: int


class Option(NamedTuple):
    """One option of a choice, with what to tell the person who picks it."""

    right: bool
    text: str
    feedback: str
    line: int


class Mistake(NamedTuple):
    """A wrong value or formula that people give, and the sentence that names the slip."""

    value: str
    message: str
    line: int


class Step(NamedTuple):
    """One step of an ordering. Steps of equal rank may stand in either order."""

    rank: int
    text: str
    line: int


class Choice(NamedTuple):
    """choice: one option is right. many: any number is."""

    options: tuple[Option, ...]


class Numeric(NamedTuple):
    """A number. `value`, `draw`, `where`: expressions (draws.py); texts hold {{expressions}} to fill in."""

    value: str
    tolerance: float
    relative: bool
    unit: str
    draw: str
    where: str
    line: int


class Formula(NamedTuple):
    """A formula and its symbols, one declaration per line (grammar: formulas.py)."""

    answer: str
    symbols: tuple[str, ...]
    line: int


class Cloze(NamedTuple):
    """Text with gaps: parts[0], gap 0, parts[1], ... Each gap lists its right fillings, the best first."""

    parts: tuple[str, ...]
    gaps: tuple[tuple[str, ...], ...]


class Order(NamedTuple):
    """Steps in their right order; they are shown shuffled."""

    steps: tuple[Step, ...]


class Bug(NamedTuple):
    """Code with a fault on one of `lines` (from 1); the reason is an option, or the card's key points."""

    code: str
    language: str
    lines: tuple[int, ...]
    reasons: tuple[Option, ...]


Body = Choice | Numeric | Formula | Cloze | Order | Bug | None


class Card(NamedTuple):
    """One question. `body` is None for kind open. `time` is in seconds, `level` 1 to 4, tags[0] is the topic.

    The three layers of an answer: `one_liner`, `answer` (the whiteboard version) and `follow_ups`.
    """

    id: str
    title: str
    kind: str
    level: int
    tags: tuple[str, ...]
    time: int
    prompt: str
    body: Body
    answer: str
    one_liner: str
    common_wrong: str
    why: str
    why_asked: str
    points: tuple[Point, ...]
    red_flags: tuple[RedFlag, ...]
    follow_ups: tuple[FollowUp, ...]
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    sources: tuple[str, ...]
    book: str
    notebook: str
    aliases: tuple[str, ...]
    grill: int
    needs: tuple[str, ...]
    group: str
    file: str
    line: int
    places: Mapping[str, int]

    @property
    def topic(self) -> str:
        """The topic that statistics count the card under: its first tag."""
        return self.tags[0]

    @property
    def skill(self) -> str:
        """concept, math, code or systems: the first tag that is one, else what the kind trains."""
        return next((tag for tag in self.tags if tag in SKILLS), KIND_SKILL[self.kind])


_WHERE_WRITTEN = {"file", "line", "places"}


def to_json(item: object) -> object:
    """A card, or any part of one, as dicts, lists, strings and numbers; where it is written is left out."""
    if isinstance(item, tuple) and hasattr(item, "_asdict"):
        fields = item._asdict().items()
        return {name: to_json(value) for name, value in fields if name not in _WHERE_WRITTEN}
    if isinstance(item, tuple):
        return [to_json(part) for part in item]
    return item
