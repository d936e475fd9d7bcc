"""`quiz undo`, `suspend`, `resume` and `bury`: what is not an answer but is kept in the log like one."""

from diffusion_lab.quiz import options, progress, spoken
from diffusion_lab.quiz.desk import Desk, at_desk
from diffusion_lab.quiz.modes.show import the_card
from diffusion_lab.quiz.records import Mark, Review
from diffusion_lab.quiz.text import clean

_ABOUT = {
    "undo": "Takes back the last answer, or the last card set aside.",
    "suspend": "Never asks a card, until `quiz resume`.",
    "resume": "Asks a suspended card again.",
    "bury": "Leaves a card out until tomorrow.",
}
_DONE = {
    "suspend": "{} is suspended: it is not asked until `quiz resume {}`.",
    "resume": "{} is asked again.",
    "bury": "{} is left out until tomorrow.",
}


def main(mode: str, argv: list[str]) -> int:
    """Does what its name says; each is itself undone by `quiz undo`."""
    args = options.read(mode, _ABOUT[mode], argv, {}, () if mode == "undo" else ("ID",))
    with at_desk() as desk:
        if mode == "undo":
            return undo(desk)
        card = the_card(desk, args["ID"])
        progress.set_aside(desk.store, card.id, mode, desk.now())
        desk.term.say(_DONE[mode].format(card.id, card.id))
    return 0


def undo(desk: Desk) -> int:
    """The last row made on this computer that still counts."""
    row = desk.store.undo()
    if isinstance(row, Review):
        day = spoken.date(row.study_day)
        desk.term.tell(f"Taken back: {clean(row.card_id)}, {spoken.GRADES[row.rating]}, of {day}.")
    elif isinstance(row, Mark):
        desk.term.tell(f"Taken back: {row.what} {clean(row.card_id)}.")
    else:
        desk.term.line("There is nothing to take back.")
    return 0
