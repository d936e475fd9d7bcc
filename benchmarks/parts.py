"""A benchmark of several tables: print those that are named."""

import argparse
from collections.abc import Callable, Collection

import torch

from .machine import machine

Parts = dict[str, Callable[[], str]]
"""Name -> what makes its table."""


def print_parts(parts: Parts, unasked: Collection[str], about: str | None) -> None:
    """The parts on the command line, or `unasked` where it names none; each as soon as it is there."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; unless given: {', '.join(unasked)}")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(parts):
        parser.error(f"there is no part {sorted(unknown)[0]!r}: choose of {', '.join(parts)}.")
    torch.set_num_threads(asked.threads)
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    for name in asked.parts or unasked:
        print(f"## {name}\n\n{parts[name]()}\n", flush=True)
