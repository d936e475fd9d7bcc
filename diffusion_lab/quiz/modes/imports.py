"""`quiz import`: an own deck, copied beside the store, or another computer's log, joined to this one's."""

import os
import shutil
import sys

from diffusion_lab.quiz import library, options, spoken, transfer
from diffusion_lab.quiz.check import askable
from diffusion_lab.quiz.deck import Deck, load
from diffusion_lab.quiz.desk import Desk, at_desk
from diffusion_lab.quiz.files import deck_files
from diffusion_lab.quiz.options import Option
from diffusion_lab.quiz.text import clean

OPTIONS = {
    "--list": Option(None, "", "the decks that were imported"),
    "--remove": Option(str, "NAME", "forget an imported deck; its answers stay in the log"),
}


def main(mode: str, argv: list[str]) -> int:
    """Takes a deck or a log in. Status 1 when a deck has faults; its sound cards are taken all the same."""
    about = "A deck (.md, or a folder of them), or a log (.jsonl of `quiz export --log`)."
    args = options.read(mode, about, argv, OPTIONS, ("[DECK]",))
    with at_desk() as desk:
        if args["remove"]:
            return remove(desk, args["remove"])
        if args["list"] or not args["DECK"]:
            return listed(desk)
        if not os.path.exists(args["DECK"]):
            raise ValueError(
                f"there is no file {args['DECK']!r}: give a deck (.md), a folder of decks, or a log (.jsonl)."
            )
        if args["DECK"].endswith(".jsonl"):
            joined = transfer.import_log(desk.store, args["DECK"], desk.now())
            desk.term.say(f"{spoken.count(joined.new, 'row')} joined, {joined.known} known before.")
            return 0
        if not os.path.isdir(args["DECK"]) and not args["DECK"].endswith(".md"):
            raise ValueError(f"{args['DECK']} is neither a deck (.md) nor a log (.jsonl).")
        return deck(desk, args["DECK"])


def deck(desk: Desk, path: str) -> int:
    """Copies the deck's files, if any card can be asked; says what is wrong with the others."""
    found = askable(load([path]))
    for problem in found.problems:
        print(problem.show(), file=sys.stderr)
    clashes = own_clashes(desk, found)
    for id in clashes:
        print(f"{clean(id)}: the package has a card of this id already; give yours another.", file=sys.stderr)
    sound = [id for id in found.cards if id not in clashes]
    if not sound:
        desk.term.say("No card of it can be asked, so nothing was imported.")
        return 1
    for source in deck_files([path]):
        copied(source, path)
    desk.term.say(
        f"{spoken.count(len(sound), 'card')} imported; they join your next sessions. Import a newer version "
        "of the file the same way: progress stays with the ids."
    )
    return 1 if found.problems or clashes else 0


def own_clashes(desk: Desk, found: Deck) -> list[str]:
    """The ids that the package uses itself."""
    house = library.Library(library.house_decks(), "")
    return [id for id in found.cards if house.find(id)]


def copied(source: str, root: str) -> None:
    """One file into the folder of own decks, whole or not at all. ValueError: it cannot be written."""
    folder = library.own_decks()
    inside = os.path.relpath(source, root) if os.path.isdir(root) else os.path.basename(source)
    name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in inside).lstrip(".-")
    target = os.path.join(folder, name)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        shutil.copyfile(source, f"{target}.{os.getpid()}")
        os.replace(f"{target}.{os.getpid()}", target)
    except OSError as error:
        raise ValueError(f"{target} cannot be written: {error.strerror}.") from error


def listed(desk: Desk) -> int:
    """The imported decks and their cards."""
    folder = library.own_decks()
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        cards = sum(card.file == os.path.join(folder, name) for card in desk.deck.cards.values())
        desk.term.line(f"{clean(name)}  {spoken.count(cards, 'card')}")
    if not names:
        desk.term.say(
            "No deck was imported yet. The format is in quizzes/README.md; "
            "`diffusion-lab quiz check DECK` tries one."
        )
    return 0


def remove(desk: Desk, name: str) -> int:
    """Deletes an imported deck's file. ValueError: there is none of that name."""
    path = os.path.join(library.own_decks(), os.path.basename(name))
    if not os.path.isfile(path):
        raise ValueError(
            f"there is no imported deck {name!r}: `diffusion-lab quiz import --list` shows them."
        )
    os.unlink(path)
    desk.term.tell(f"{clean(name)} is gone; the answers stay in the log.")
    return 0
