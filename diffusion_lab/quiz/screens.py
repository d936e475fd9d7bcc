"""What the screens of a card show: the question, the verdict, the answer's layers, the points to tick."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffusion_lab.quiz import spoken
from diffusion_lab.quiz.asked import Asked
from diffusion_lab.quiz.cards import Bug, Card, Choice, Cloze, Order
from diffusion_lab.quiz.layout import style, styled
from diffusion_lab.quiz.terminal import Terminal
from diffusion_lab.quiz.text import clean

if TYPE_CHECKING:
    from diffusion_lab.quiz.scores import Score


def question(term: Terminal, asked: Asked, place: str) -> None:
    """The card as it is asked. place: such as `3 of 12`."""
    card = asked.card
    about = f"{place} · {clean(card.topic)} · {spoken.LEVELS[card.level]} · {spoken.limit(card.time)}"
    term.rule(about)
    term.item("", style("bold", styled(card.title)))
    term.line()
    term.say(asked.prompt)
    if isinstance(card.body, Bug):
        code(term, card.body)
    if asked.options or asked.steps:
        term.line()
    listed = [option.text for option in asked.options] or [step.text for step in asked.steps]
    for number, text in enumerate(listed):
        term.item(f"  {style('key', chr(97 + number))}) ", styled(text))
    term.line()


def code(term: Terminal, body: Bug) -> None:
    """The code with its line numbers."""
    term.line()
    for number, line in enumerate(clean(body.code).replace("\t", "    ").split("\n"), 1):
        term.line(f"  {style('dim', f'{number:>2}')}  {line}")


def verdict(term: Terminal, asked: Asked, score: "Score") -> None:
    """Right or wrong, and what would have been right."""
    term.line()
    mark = style("good", "✓") if score.must else style("bad", "✗")
    term.item(f"{mark} ", styled(score.verdict))
    if not score.must:
        solution(term, asked)


def solution(term: Terminal, asked: Asked) -> None:
    """The right answer of a closed card."""
    body = asked.card.body
    if isinstance(body, Choice) or (isinstance(body, Bug) and asked.options):
        for number, option in enumerate(asked.options):
            if option.right:
                term.item(f"  {style('good', chr(97 + number))}) ", styled(option.text))
                if isinstance(body, Choice) and option.feedback:
                    term.item("     ", styled(option.feedback))
    elif isinstance(body, Cloze):
        filled = [piece for n, gap in enumerate(body.gaps) for piece in (body.parts[n], f"[ {gap[0]} ]")]
        term.say("".join([*filled, body.parts[-1]]), "  ")
    elif isinstance(body, Order):
        letters = " ".join(chr(97 + asked.steps.index(step)) for step in body.steps)
        term.line(f"  In order: {style('good', letters)}")


def layers(term: Terminal, asked: Asked) -> None:
    """The answer in one breath, then the whiteboard version, then why it is so."""
    card = asked.card
    parts = {
        "In one breath": card.one_liner,
        "On the whiteboard": asked.answer if card.answer else "",
        "Why": asked.why,
    }
    for head, text in parts.items():
        if text:
            term.head(head)
            term.say(text)


def points(
    term: Terminal, card: Card, met: Sequence[bool] | None, score: "Score | None" = None, typed: str = ""
) -> None:
    """The key points, ticked where they seem to be met, with the words that made it so."""
    term.head("Key points")
    for number, point in enumerate(card.points):
        hit = met is not None and met[number]
        box = "" if met is None else "[x] " if hit else "[ ] "
        must = style("bold", "must") if point.must else style("dim", "nice")
        term.item(f" {style('key', f'{number + 1}')} {box}{must}  ", styled(point.text))
        if hit and score and number < len(score.spans) and score.spans[number]:
            said = ", ".join(f"“{clean(typed[span.start : span.end])}”" for span in score.spans[number])
            term.item("             ", style("dim", f"you said {said}"))


def flags(term: Terminal, card: Card, raised: Sequence[int]) -> None:
    """The red flags that an answer raised."""
    for number in raised:
        term.item(f"{style('warn', '!')} ", f"Better not said: {styled(card.red_flags[number].text)}")


def wrong(term: Terminal, card: Card) -> None:
    """The common wrong answer."""
    if card.common_wrong:
        term.head("What many people say")
        term.say(card.common_wrong)


def places(term: Terminal, card: Card) -> None:
    """Where to read on, and what the facts rest on."""
    reading(term, card)
    # The names of tests are for those who check cards.
    sources = dict.fromkeys(source for source in card.sources if not source.startswith("test "))
    if sources:
        term.item(style("dim", "Source: "), style("dim", clean("; ".join(sources))))


def reading(term: Terminal, card: Card, indent: str = "") -> None:
    """The section of the book and the notebook."""
    read = [f"book {clean(card.book)}"] if card.book else []
    read += [f"notebook {clean(card.notebook)}"] if card.notebook else []
    if read:
        term.item(f"{indent}{style('dim', 'Read: ')}", style("dim", ", ".join(read)))
