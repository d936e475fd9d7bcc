"""Formulas set by KaTeX while the book is built: pages need no script for them, and bad TeX is a warning,
which is an error here. One Node process answers for the whole build."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from diffusion_lab.book.node import BOOK, node

log = logging.getLogger(__name__)


class Setter:
    """A Node process that turns TeX into HTML, one line each way."""

    def __init__(self) -> None:
        self.macros = json.loads((BOOK / "macros.json").read_text(encoding="utf-8"))
        self.process = subprocess.Popen(
            [node(), "katex.mjs"], cwd=BOOK, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            encoding="utf-8",
        )  # fmt: skip

    def __call__(self, tex: str, display: bool) -> dict[str, str]:
        """{"html": ...} or {"error": ...}."""
        assert self.process.stdin
        assert self.process.stdout
        question = {"tex": tex, "display": display, "macros": self.macros}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("Node stopped while it was setting formulas: run `npm ci --prefix book`.")
        answer: dict[str, str] = json.loads(line)
        return answer


@cache
def setter() -> Setter:
    """The one process of this build."""
    return Setter()


def end() -> None:
    """End the process, if one began: at the end of its input it goes by itself."""
    if setter.cache_info().currsize:
        setter().process.communicate(timeout=10)
        setter.cache_clear()


@cache
def set_formula(tex: str, display: bool) -> tuple[str, str]:
    """(HTML, what is wrong) of one formula."""
    answer = setter()(tex, display)
    return answer.get("html", ""), answer.get("error", "")


def html(tex: str, display: bool, where: nodes.Node | None = None) -> str:
    """A formula as HTML; bad TeX is reported at the place where it stands."""
    text, wrong = set_formula(tex, display)
    if wrong:
        log.warning("this formula cannot be set: %s", wrong, location=where)
    return text


def visit_inline(self: Any, where: nodes.math) -> None:
    self.body.append(f'<span class="math">{html(where.astext(), False, where)}</span>')
    raise nodes.SkipNode


def visit_block(self: Any, where: nodes.math_block) -> None:
    self.body.append(self.starttag(where, "div", CLASS="math dl-equation"))
    self.body.append(html(where.astext(), True, where))
    if where["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, where)})')
        self.add_permalink_ref(where, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def carry_style(app: Sphinx, wrong: Exception | None) -> None:
    """KaTeX's style sheet and its woff2 fonts go into the book; the process ends."""
    end()
    if wrong or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    dist = BOOK / "node_modules" / "katex" / "dist"
    shutil.copy(dist / "katex.min.css", target)
    for font in dist.glob("fonts/*.woff2"):
        shutil.copy(font, target / "fonts")


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("builder-inited", lambda app: app.add_css_file("katex/katex.min.css"))
    app.connect("build-finished", carry_style)
