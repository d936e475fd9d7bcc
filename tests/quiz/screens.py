"""Sessions without a process: a script of answers goes in, the screen comes out as text."""

import io

from diffusion_lab.quiz.clock import MINUTE_MS
from diffusion_lab.quiz.desk import Desk
from diffusion_lab.quiz.library import Library
from diffusion_lab.quiz.reading import Reader
from diffusion_lab.quiz.store import open_store
from diffusion_lab.quiz.terminal import Terminal

from .decks import SOUND
from .stores import NOON


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self, at=NOON):
        self.at = at

    def __call__(self):
        return self.at

    def wait(self, minutes):
        self.at = self.at._replace(at_ms=self.at.at_ms + round(minutes * MINUTE_MS))


class Script(io.StringIO):
    """Lines to be typed. One that can be called is called first, and its result typed."""

    def __init__(self, lines):
        super().__init__()
        self.queue = list(lines)

    def readline(self, *_):
        if not self.queue:
            return ""
        line = self.queue.pop(0)
        if callable(line):
            line = line()
        return f"{line}\n"


def decks(folder, *cards):
    """A folder with a deck of these cards, or of one card of each kind."""
    folder.mkdir(exist_ok=True)
    (folder / "deck.md").write_text("\n".join(cards or SOUND), "utf-8")
    return str(folder)


class Stage:
    """A desk on which sessions are played: the store of a home, a deck, a clock."""

    def __init__(self, home, deck, room=80, plain=False, encoding="utf-8"):
        self.home, self.clock, self.room, self.plain, self.encoding = (
            str(home),
            Clock(),
            room,
            plain,
            encoding,
        )
        self.library = Library(deck, "")
        self.out = None

    def play(self, act, *lines):
        """What `act(desk)` returns when these lines are typed; the screen is in `self.shown`."""
        raw = io.BytesIO()
        self.out = io.TextIOWrapper(raw, self.encoding, errors="replace", newline="\n")
        term = Terminal(self.out, self.room, plain=self.plain)
        with open_store(self.clock.at, self.home) as store:
            try:
                return act(Desk(term, Reader(Script(lines), term), store, self.library, self.clock))
            finally:
                self.out.flush()
                self.shown = raw.getvalue().decode(self.encoding)

    def read(self, act):
        """What a function of the store says."""
        with open_store(self.clock.at, self.home) as store:
            return act(store)
