"""The keys of the quiz. Each has a word; a letter that names an option of the card means the option."""

from diffusion_lab.quiz.asked import Asked
from diffusion_lab.quiz.cards import Card, Cloze, Formula
from diffusion_lab.quiz.layout import style

KEYS = {
    "?": ("help", "these keys"),
    "h": ("hint", "the next hint; the grade is then Hard at most"),
    "k": ("skip", "leave this card for the end of the session"),
    "b": ("bury", "not again today"),
    "s": ("suspend", "not again at all, until `quiz resume ID`"),
    "u": ("undo", "take back the last answer and ask it again"),
    "q": ("quit", "stop here; Ctrl-D and Ctrl-C do the same, and nothing is lost"),
}  # fmt: skip
AFTER = {
    "f": ("follow", "take the follow-up question next"),
    "w": ("why", "why they ask this"),
    "a": ("again", "change the grade: I did not know it"),
    "d": ("hard", "change the grade: with effort"),
    "g": ("good", "change the grade: known"),
    "e": ("easy", "change the grade: too easy, come back much later"),
}
GRADED = {"again": 1, "hard": 2, "good": 3, "easy": 4}


def command(typed: str, taken: frozenset[str] = frozenset(), after: bool = False) -> str:
    """The word of the key or word that was typed, or ''. /h and /hint are never an answer."""
    text = typed.strip().lower()
    table = {**KEYS, **AFTER} if after else KEYS
    if text.startswith("/"):
        text, taken = text[1:], frozenset()
    if text in table and text not in taken:
        return table[text][0]
    return text if any(text == word for word, _ in table.values()) else ""


def taken(asked: Asked) -> frozenset[str]:
    """The letters that are answers to this card, and therefore no keys."""
    count = len(asked.options) or len(asked.steps)
    return frozenset("abcdefghijklmnopqrstuvwxyz"[:count]) | _symbols(asked.card)


def _symbols(card: Card) -> frozenset[str]:
    body = card.body
    if isinstance(body, Formula):
        text = " ".join([body.answer, *body.symbols])
        return frozenset(
            word.lower() for word in text.replace(",", " ").replace(":", " ").split() if len(word) == 1
        )
    if isinstance(body, Cloze):
        return frozenset(filling.strip("$").lower() for gap in body.gaps for filling in gap)
    return frozenset()


def shown(key: str, letters: frozenset[str], after: bool = False) -> str:
    """A key as a prompt names it: `h hint`, or `hint` where h is an answer."""
    word = ({**KEYS, **AFTER} if after else KEYS)[key][0]
    return style("key", word) if key in letters else f"{style('key', key)} {word}"


def help_lines(letters: frozenset[str], after: bool) -> list[str]:
    """Every key that works here, a line each."""
    lines = []
    for key, (word, about) in ({**KEYS, **AFTER} if after else KEYS).items():
        letter = "" if key in letters else key
        lines.append(f"  {style('key', f'{letter:<2} {word:<8}')} {about}")
    return lines
