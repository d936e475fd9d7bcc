"""`quiz search WORD`: cards whose title, text, topic or id holds all the words."""

from diffusion_lab.quiz import library, options, spoken, terminal
from diffusion_lab.quiz.cards import Card
from diffusion_lab.quiz.latex import in_text
from diffusion_lab.quiz.layout import style, styled
from diffusion_lab.quiz.text import clean, nearest

SHOWN = 40


def main(mode: str, argv: list[str]) -> int:
    """Lists the cards, those with the words in their title first."""
    about = "Find cards by words; Greek letters and TeX both work."
    words = options.read(mode, about, argv, {}, ("WORD...",))["WORD"]
    term, deck = terminal.of_process(), library.library()
    wanted = [word.casefold() for word in " ".join(words).split()]
    found = [card for card in deck.cards.values() if all(word in _text(card) for word in wanted)]
    found.sort(key=lambda card: not all(word in f"{card.title} {card.id}".casefold() for word in wanted))
    for card in found[:SHOWN]:
        term.item(
            f"{style('key', clean(card.id))}  ",
            f"{styled(card.title)} {style('dim', f'({clean(card.topic)}, {card.kind})')}",
        )
    if len(found) > SHOWN:
        term.line(f"... and {len(found) - SHOWN} more: add a word.")
    if not found:
        said = sorted(
            {word.strip(".,;:?()$") for card in deck.cards.values() for word in _text(card).split()}
        )
        hint = nearest(wanted[0], said) if len(wanted) == 1 else "try fewer words."
        term.line(f"No card has {clean(' '.join(words))!r}. {hint}".strip())
        return 1
    if len(found) <= SHOWN:
        term.line(
            style("dim", f"{spoken.count(len(found), 'card')}. `diffusion-lab quiz show ID` shows one.")
        )
    return 0


def _text(card: Card) -> str:
    """Everything that a person may look for, as written and as shown."""
    texts = [
        card.id,
        *card.tags,
        card.title,
        card.prompt,
        card.one_liner,
        card.answer,
        card.why,
        card.common_wrong,
    ]
    whole = "\n".join([*texts, *(point.text for point in card.points)])
    return f"{whole}\n{in_text(whole)}".casefold()
