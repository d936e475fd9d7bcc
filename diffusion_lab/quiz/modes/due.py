"""`quiz due`: how many cards wait, without asking any. Quick enough for a shell's prompt."""

from diffusion_lab.quiz import clock, options, progress
from diffusion_lab.quiz.library import library
from diffusion_lab.quiz.options import Option
from diffusion_lab.quiz.spoken import count
from diffusion_lab.quiz.store import open_store


def main(mode: str, argv: list[str]) -> int:
    """Prints one line. With --quiet: the number of due cards alone."""
    quiet = {"--quiet": Option(None, "", "only the number that is due")}
    args = options.read(mode, "How many cards are due today, and how many were never asked.", argv, quiet)
    now = clock.now()
    cards, day = library(), clock.study_day(now)
    with open_store(now) as store:
        states = progress.states(store)
        out = progress.suspended(store) | progress.buried(store, day)
    known = [states.get(id) for id in cards.headings if id not in out]
    due = sum(state is not None and state.due_day <= day for state in known)
    print(due if args["quiet"] else f"{count(due, 'card')} due, {known.count(None)} new.")
    return 0
