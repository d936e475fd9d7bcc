"""`quiz judge`: whether a language model may be asked about typed answers, and how to name one."""

import os

from diffusion_lab.quiz import options, terminal
from diffusion_lab.quiz.judge import configured
from diffusion_lab.quiz.text import clean


def main(mode: str, argv: list[str]) -> int:
    """Says what is configured; sends nothing."""
    options.read(mode, "A second opinion on typed answers. Off unless you name a server.", argv, {})
    term, server = terminal.of_process(), configured(os.environ)
    if server is None:
        term.say("No judge: nothing leaves this machine. To have one, set")
        term.lines(
            [
                "  DIFFUSION_LAB_JUDGE_URL    such as http://localhost:11434/v1",
                "  DIFFUSION_LAB_JUDGE_MODEL  the model's name there",
                "  DIFFUSION_LAB_JUDGE_KEY    a key, if the server wants one",
            ]
        )
        return 0
    term.tell(f"The judge is {clean(server.model)} at {clean(server.host)}.")
    term.say("It is asked only when you type j at the key points of a typed answer; you keep the last word.")
    return 0
