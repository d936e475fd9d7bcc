"""The screen after an answer: what many people say, the grade, when the card comes again, what to do next."""

from diffusion_lab.quiz import keys, screens, spoken
from diffusion_lab.quiz.answered import Answer, follow_ups
from diffusion_lab.quiz.asked import Asked
from diffusion_lab.quiz.asking import Booth, Manner
from diffusion_lab.quiz.cards import Card
from diffusion_lab.quiz.desk import Desk
from diffusion_lab.quiz.keys import GRADED
from diffusion_lab.quiz.layout import style, styled
from diffusion_lab.quiz.library import Library
from diffusion_lab.quiz.memory import GOOD
from diffusion_lab.quiz.progress import Recorded
from diffusion_lab.quiz.reading import Leave
from diffusion_lab.quiz.scores import Score
from diffusion_lab.quiz.text import clean

__all__ = ["GRADED", "choice", "grade", "result", "ways"]

_TONE = {1: "bad", 2: "warn", 3: "good", 4: "good"}


def result(
    desk: Desk, asked: Asked, answer: Answer, recorded: Recorded, manner: Manner, soon: bool = False
) -> None:
    """Everything that follows from the answer. soon: the card comes again in this session."""
    card = asked.card
    if not (manner.brief and answer.grade >= GOOD):
        screens.wrong(desk.term, card)
    desk.term.line()
    if not manner.brief:
        screens.places(desk.term, card)
    grade(desk, card, answer, recorded, soon)
    if recorded.warning:
        desk.term.item(style("warn", "! "), recorded.warning)
    if recorded.leech:
        leech(desk, card)


def grade(desk: Desk, card: Card, answer: Answer, recorded: Recorded, soon: bool = False) -> None:
    """One line: the grade, what it rests on, and when the card comes again."""
    given = answer.given
    parts = [style(_TONE[answer.grade], spoken.GRADES[answer.grade])]
    if card.points and card.kind == "open":
        missing = sum(point.must and not hit for point, hit in zip(card.points, given.score.met))
        points = f"{sum(given.score.met)} of {spoken.count(len(card.points), 'point')}"
        parts.append(f"{points}, {spoken.count(missing, 'must')} missing" if missing else points)
    parts.append(f"{spoken.clock(given.ms / 1000)} of {spoken.clock(card.time)}")
    if given.hints:
        parts.append(spoken.count(given.hints, "hint"))
    back = "later in this session" if soon else spoken.due(recorded.state.due_day, desk.day)
    parts.append(f"back {back}")
    desk.term.item("", " · ".join(parts))


def leech(desk: Desk, card: Card) -> None:
    """A card that fails and fails: what to read and which cards to know first."""
    lapses = "This one has been forgotten eight times or more: another look will not help."
    first = [found for id in card.needs if (found := desk.deck.find(id))]
    needs = [clean(f"{found.title} (quiz show {found.id})") for found in first]
    read = f" Read {clean(card.book)} first, or suspend it with s."
    advice = f" Learn first: {'; '.join(needs)}." if needs else read
    desk.term.item(style("warn", "! "), lapses + advice)


def ways(deck: Library, card: Card, score: Score, waiting: set[str]) -> list[str]:
    """The follow-up cards that exist and do not wait in the queue already; at most two."""
    return [id for id in follow_ups(card, score) if deck.find(id) and id not in waiting and id != card.id][:2]


def choice(desk: Desk, booth: Booth, follow: list[str]) -> str:
    """What the person wants next: '' for the next card, or a word. Leave: to stop."""
    card = booth.asked.card
    if follow and (first := desk.deck.find(follow[0])):
        desk.term.item(f"{style('dim', 'They would ask next:')} ", styled(first.title))
    offered = [keys.shown("f", frozenset(), after=True)] if follow else []
    offered += [keys.shown("u", frozenset()), keys.shown("?", frozenset())]
    while True:
        line = desk.reader.line(f"Enter: next · {' · '.join(offered)} > ")
        word = keys.command(line, after=True)
        if not line.strip():
            return ""
        if word == "quit":
            raise Leave
        if word == "help":
            desk.term.lines(keys.help_lines(frozenset(), after=True))
        elif word == "why":
            desk.term.say(card.why_asked or "This card does not say.")
        elif word == "hint" or (word == "follow" and not follow):
            desk.term.line("There is none here.")
        elif word:
            return word
        else:
            desk.term.line("Enter for the next card, or a key: ? lists them.")
