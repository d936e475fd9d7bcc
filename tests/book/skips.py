"""What the book's tests need beside Python, or one sentence for all tests that go without it."""

import functools

import pytest

from diffusion_lab.book.node import node, packages
from diffusion_lab.setup.steps import Stop


@functools.cache
def missing(need):
    """Why Node or its packages are not here, or nothing; asked once, for npm may wait long for a network."""
    try:
        need()
    except Stop as stop:
        return str(stop).partition(" (log")[0]
    return ""


def node_or_skip():
    """The path of a Node."""
    if why := missing(node):
        pytest.skip(why)
    return node()


def packages_or_skip():
    """Bring KaTeX and axe to book/node_modules, as a build does."""
    node_or_skip()
    if why := missing(packages):
        pytest.skip(why)
