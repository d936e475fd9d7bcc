"""A card as an Anki note: question and options in front; the right one, layers, points and sources behind."""

from collections.abc import Iterable

from diffusion_lab.quiz.anki import Note, field
from diffusion_lab.quiz.asked import Asked, ask
from diffusion_lab.quiz.cards import Bug, Card, Choice, Cloze, Order

# Anki shows one draw of the numbers; it stays the same from export to export.
SEED = 0


def notes(cards: Iterable[Card]) -> list[Note]:
    """One note per card, in the order of the decks."""
    return [note(card) for card in cards]


def note(card: Card) -> Note:
    """Two sides of HTML."""
    asked = ask(card, SEED)
    return Note(card.id, field(_front(asked)), field(_back(asked)), (f"level-{card.level}", *card.tags))


def _front(asked: Asked) -> str:
    card = asked.card
    parts = [card.title, asked.prompt]
    if isinstance(card.body, Bug):
        parts.append(f"```{card.body.language}\n{card.body.code}\n```")
    listed = [option.text for option in asked.options] or [step.text for step in asked.steps]
    parts += [f"{chr(97 + number)}) {text}" for number, text in enumerate(listed)]
    return "\n\n".join(parts)


def _back(asked: Asked) -> str:
    card = asked.card
    points = [f"{'must' if point.must else 'nice'}: {point.text}" for point in card.points]
    parts = [*_right(asked), card.one_liner, asked.answer, asked.why, *points]
    if card.common_wrong:
        parts.append(f"Common wrong answer: {card.common_wrong}")
    parts.append(f"Source: {'; '.join(card.sources)}")
    return "\n\n".join(part for part in parts if part)


def _right(asked: Asked) -> list[str]:
    """What answers a closed card."""
    body = asked.card.body
    if isinstance(body, Choice):
        return [
            f"{'right' if option.right else 'wrong'}: {option.text} {option.feedback}".strip()
            for option in asked.options
        ]
    if isinstance(body, Order):
        return [f"{step.rank}. {step.text}" for step in body.steps]
    if isinstance(body, Cloze):
        return ["; ".join(gap[0] for gap in body.gaps)]
    if isinstance(body, Bug):
        right = [option.text for option in body.reasons if option.right]
        return [f"Line {', '.join(map(str, body.lines))}. {' '.join(right)}".strip()]
    return []
