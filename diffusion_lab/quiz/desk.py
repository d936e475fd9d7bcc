"""What every mode works with: the screen, the keyboard, the store, the cards and the clock.

with at_desk(plain) as desk: ...        opens the store and the decks of this process
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from diffusion_lab.quiz import library, progress, reading, spoken, terminal
from diffusion_lab.quiz.clock import Moment, now, study_day
from diffusion_lab.quiz.library import Library
from diffusion_lab.quiz.reading import Reader
from diffusion_lab.quiz.store import Store, open_store
from diffusion_lab.quiz.terminal import Terminal


class Desk(NamedTuple):
    """term and reader: the two directions of the conversation. now(): the present moment."""

    term: Terminal
    reader: Reader
    store: Store
    deck: Library
    now: Callable[[], Moment]

    @property
    def day(self) -> int:
        """The study day."""
        return study_day(self.now())


@contextmanager
def at_desk(plain: bool = False) -> Iterator[Desk]:
    """The desk of this process. StoreError: the store cannot be used."""
    term = terminal.of_process(plain)
    deck = library.library()
    with open_store(now()) as store:
        progress.adopt(store, deck.aliases, deck.headings)
        if deck.faults:
            faults = spoken.count(deck.faults, "fault")
            term.say(
                f"Your own decks have {faults}; cards with one are left out. `quiz check DECK` lists them."
            )
        yield Desk(term, reading.of_process(term), store, deck, now)
