"""Directives whose body is Python, run while the book is built: no page is older than the package.

    {live}      the last line is a widget, such as scrub(...)
    {plot}      the last line is a matplotlib Figure; :alt: says what it shows
    {computed}  what the code prints is Markdown and becomes part of the page
    {anywidget} an ES module, and JSON for it: MyST's own directive, as far as we need it

Each body has names of its own. `:code:` shows the code below, folded.
"""

import ast
import contextlib
import hashlib
import html
import io
import json
import os
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from diffusion_lab.book import package_files

WIDGETS = Path(__file__).parent.parent / "widgets"


def run(code: str) -> tuple[Any, str]:
    """The value of the last line, if it is an expression, and what was printed."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    asked = last.value if isinstance(last, ast.Expr) else None
    tree.body = tree.body[:-1] if asked else tree.body
    names: dict[str, Any] = {"__name__": "__book__"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<book>", "exec"), names)
        value = eval(compile(ast.Expression(asked), "<book>", "eval"), names) if asked else None
    return value, printed.getvalue()


class Computed(SphinxDirective):
    """What the code prints, as Markdown."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "code": directives.flag,
        "name": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        for file in package_files("quiz", "book", "drills", "setup", "commands"):
            self.env.note_dependency(file)
        try:
            value, printed = run(code)
            shown = self.shown(value, printed)
        except Exception as error:  # whatever an author's code raises belongs to its place in the page
            return [self.state_machine.reporter.error(f"{type(error).__name__}: {error}", line=self.lineno)]
        return shown + (self.listing(code) if "code" in self.options else [])

    def shown(self, value: Any, printed: str) -> list[nodes.Node]:
        return self.parsed(printed)

    def parsed(self, text: str) -> list[nodes.Node]:
        """Markdown as part of this page."""
        holder = nodes.container(classes=["dl-computed"])
        self.state.nested_parse(StringList(text.splitlines(), "<computed>"), self.content_offset, holder)
        return [holder]

    def listing(self, code: str) -> list[nodes.Node]:
        """The code itself, folded."""
        block = nodes.literal_block(code, code, language="python")
        opening, closing = '<details class="dl-code"><summary>The code of this</summary>', "</details>"
        return [nodes.raw("", opening, format="html"), block, nodes.raw("", closing, format="html")]

    def named(self, code: str) -> str:
        """An id that stays the same from build to build."""
        return "dl-" + hashlib.sha256(f"{self.env.docname} {self.lineno} {code}".encode()).hexdigest()[:10]


class Live(Computed):
    """A widget that needs no kernel: its data stands in the page, its module in one file for all pages."""

    def shown(self, value: Any, printed: str) -> list[nodes.Node]:
        if not hasattr(value, "html"):
            raise TypeError(
                f"the last line of a {{live}} block must be a widget, such as scrub(...), "
                f"not {type(value).__name__}."
            )
        return [nodes.raw("", value.html(self.named("\n".join(self.content))), format="html")]


class Plot(Computed):
    """A figure, as SVG for the web."""

    option_spec: ClassVar[dict[str, Any]] = {
        **Computed.option_spec,
        "alt": directives.unchanged_required,
        "caption": directives.unchanged,
    }

    def shown(self, value: Any, printed: str) -> list[nodes.Node]:
        if "alt" not in self.options:
            raise ValueError("a {plot} needs :alt:, a sentence that says what it shows.")
        file = self.drawn(value)
        width, height = size(file.read_text(encoding="utf-8"))
        uri = "/" + os.path.relpath(file, self.env.srcdir)
        image = nodes.image(uri=uri, alt=self.options["alt"], width=width, height=height)
        figure = nodes.figure("", image, classes=["dl-plot"])
        if caption := self.options.get("caption"):
            text, _ = self.state.inline_text(caption, self.lineno)
            figure += nodes.caption(caption, "", *text)
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]

    def drawn(self, figure: Any) -> Path:
        """The figure's file."""
        from matplotlib import rc_context

        name = self.named("\n".join(self.content))
        file = Path(self.env.app.outdir).parent / "figures" / f"{name}.svg"
        file.parent.mkdir(parents=True, exist_ok=True)
        with rc_context({"svg.hashsalt": name}):  # the same file from the same code
            figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        return file


def size(svg: str) -> list[str]:
    """Width and height of a picture in pixels of a page: 4 of them are 3 pt."""
    in_points = re.findall(r'\b(?:width|height)="([\d.]+)pt"', svg)[:2]
    return [str(round(float(points) * 4 / 3)) for points in in_points]


class AnyWidget(SphinxDirective):
    """A module of diffusion_lab/widgets with `export default { render({ model, el }) }`; :alt: is for readers
    without scripts.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        module = Path(self.arguments[0]).name
        if not (WIDGETS / module).is_file():
            return [self.state_machine.reporter.error(f"there is no {WIDGETS / module}", line=self.lineno)]
        try:
            data = json.dumps(json.loads("\n".join(self.content) or "{}")).replace("<", "\\u003c")
        except ValueError as error:
            return [self.state_machine.reporter.error(f"the body is no JSON: {error}", line=self.lineno)]
        alt = html.escape(self.options.get("alt", "This part needs scripts."))
        body = (
            f'<div class="dl-anywidget" data-module="{module}"><p class="dl-still">{alt}</p>'
            f'<script type="application/json">{data}</script></div>'
        )
        return [nodes.raw("", body, format="html")]


def setup(app: Sphinx) -> None:
    app.add_directive("anywidget", AnyWidget)
    app.add_directive("computed", Computed)
    app.add_directive("live", Live)
    app.add_directive("plot", Plot)
