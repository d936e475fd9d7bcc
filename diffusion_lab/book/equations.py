"""Every numbered equation of the book is named by a test that evaluates both sides.

`:label: eq-closed-form` asks for `def test_eq_closed_form(`, or `test_eq_closed_form_and_more(`, under
tests/book. Labels that begin with `def-` only give something a name, and need no test.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from diffusion_lab.setup.steps import ROOT

log = logging.getLogger(__name__)
LABEL = re.compile(r"^(eq|def)-[a-z0-9]+(-[a-z0-9]+)*$")
TEST = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)


@cache
def tests(folder: Path) -> set[str]:
    """The names of all test functions below a folder; read once in a build."""
    files = folder.rglob("test_*.py")
    return {name for file in files for name in TEST.findall(file.read_text(encoding="utf-8"))}


def named(label: str, names: set[str]) -> bool:
    """Whether a test bears the label's name."""
    wanted = "test_" + label.replace("-", "_")
    return any(name == wanted or name.startswith(wanted + "_") for name in names)


def fault(label: str, names: set[str]) -> str:
    """What is wrong with an equation's label, or nothing."""
    if not LABEL.match(label):
        return f"the label `{label}` must be eq-... (a fact, with a test) or def-... (a name)"
    if label.startswith("eq-") and not named(label, names):
        wanted = label.replace("-", "_")
        return f"no test names equation `{label}`: write `def test_{wanted}` in tests/book"
    return ""


def check(app: Sphinx, doctree: nodes.document) -> None:
    """Report every equation of a page that no test names."""
    if not app.env.docname.startswith("book/"):
        return
    names = tests(ROOT / "tests" / "book")
    for equation in doctree.findall(nodes.math_block):
        if (label := equation.get("label")) and (wrong := fault(label, names)):
            log.warning("%s", wrong, location=equation)


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", check)
