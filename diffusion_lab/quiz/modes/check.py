"""`quiz check`: see `diffusion_lab.quiz.check`."""

from diffusion_lab.quiz import check


def main(mode: str, argv: list[str]) -> int:
    """Checks the decks that are named, or those of the package."""
    if argv and argv[0] in ("-h", "--help"):
        print(
            f"{check.USAGE}\n\nFaults as file:line:column with a caret and a cure. Status 1 if there is one."
        )
        raise SystemExit(0)
    return check.main(argv)
