"""`quiz export`: cards for Anki or for other programs, and the log for another computer."""

import json
import os
from contextlib import suppress

from diffusion_lab.quiz import options, spoken, transfer
from diffusion_lab.quiz.desk import Desk, at_desk
from diffusion_lab.quiz.options import Option

OPTIONS = {
    "--anki": Option(str, "[FILE]", "an .apkg; a newer export keeps Anki's history", "diffusion-lab.apkg"),
    "--log": Option(str, "[FILE]", "everything you did, as JSON lines", "quiz-log.jsonl"),
    "--cards": Option(str, "[FILE]", "the cards as JSON", "cards.json"),
}


def main(mode: str, argv: list[str]) -> int:
    """Writes the files that are asked for."""
    args = options.read(mode, "Cards for Anki or other programs; your log, for `quiz import`.", argv, OPTIONS)
    if not (args["anki"] or args["log"] or args["cards"]):
        raise ValueError("say what to export: --anki, --log or --cards, each with a file name if you like.")
    with at_desk() as desk:
        for path, write in ((args["anki"], anki), (args["log"], log), (args["cards"], cards)):
            if path:
                write(desk, path)
    return 0


def anki(desk: Desk, path: str) -> None:
    """The cards as an Anki package."""
    from diffusion_lab.quiz.anki import write
    from diffusion_lab.quiz.notes import notes

    made = notes(desk.deck.cards.values())
    write(made, path, desk.now().at_ms // 1000)
    desk.term.tell(f"{spoken.count(len(made), 'card')} in {path}. In Anki: File, Import.")
    desk.term.tell("Importing a newer export later keeps your history there.")


def log(desk: Desk, path: str) -> None:
    """The whole log."""
    lines = list(transfer.exported(desk.store))
    whole(path, "".join(f"{line}\n" for line in lines))
    desk.term.tell(f"{spoken.count(len(lines) - 1, 'row')} in {path}. On the other computer:")
    desk.term.tell(f"diffusion-lab quiz import {path}")


def cards(desk: Desk, path: str) -> None:
    """The cards as data."""
    from diffusion_lab.quiz.cards import to_json

    whole(path, json.dumps([to_json(card) for card in desk.deck.cards.values()], ensure_ascii=False))
    desk.term.tell(f"{spoken.count(len(desk.deck.cards), 'card')} in {path}.")


def whole(path: str, text: str) -> None:
    """Writes a file whole or not at all. ValueError: it cannot be written."""
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(draft)
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from error
