"""{api} diffusion_lab.samplers: a module's public names with signature and docstring, read, not imported.
{api} diffusion_lab.models: the same for every module of a package.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from diffusion_lab.setup.steps import ROOT

Def = ast.FunctionDef | ast.ClassDef


# Rooms that carry the project and that no reader's code calls.
NOT_REFERENCE = frozenset(
    {"__main__", "about", "book", "cli", "commands", "drills", "errors", "judge_digits", "notebooks", "quiz"}
    | {"seeds", "setup", "ship", "shipments"}
)


def source(module: str) -> Path:
    """The file of a module or of a package."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def inside(package: str) -> list[str]:
    """The modules of a package, by name; none for a module."""
    files = sorted((ROOT / package.replace(".", "/")).glob("[a-z]*.py"))
    return [f"{package}.{file.stem}" for file in files]


def public(body: list[ast.stmt]) -> Iterator[Def]:
    """Functions and classes with a docstring and without an underscore."""
    for item in body:
        if isinstance(item, Def) and not item.name.startswith("_") and ast.get_docstring(item):
            yield item


def signature(item: Def) -> str:
    """The first lines of a definition, without its body."""
    bare = ast.parse(ast.unparse(item)).body[0]
    assert isinstance(bare, Def)
    fields = [line for line in bare.body if isinstance(line, ast.AnnAssign)]
    bare.body = [*fields, ast.Expr(ast.Constant(...))] if isinstance(bare, ast.ClassDef) else []
    if isinstance(bare, ast.FunctionDef):
        bare.body = [ast.Expr(ast.Constant(...))]
    text = ast.unparse(ast.fix_missing_locations(bare))
    return text.removesuffix("\n    ...").removesuffix(":")


class Api(SphinxDirective):
    """A module: one section per name, for the page's contents. A package: one section per module."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0]
        if unknown := [name for name in [module, *inside(module)] if not source(name).is_file()]:
            return [self.state_machine.reporter.error(f"there is no module {unknown[0]}", line=self.lineno)]
        return [*self.module(module), *(self.chapter(name) for name in inside(module))]

    def module(self, module: str) -> list[nodes.Node]:
        """A module's docstring and its names."""
        self.env.note_dependency(str(source(module)))
        code = ast.parse(source(module).read_text(encoding="utf-8"))
        about = ast.get_docstring(code) or ""
        return [self.text(about), *(self.entry(module, item) for item in public(code.body))]

    def chapter(self, module: str) -> nodes.Node:
        """A module of a package under its own heading."""
        name = module.removeprefix("diffusion_lab.")
        section = nodes.section("", nodes.title("", name.rpartition(".")[2]), ids=[f"api-{name}"])
        section += self.module(module)
        return section

    def entry(self, module: str, item: Def) -> nodes.Node:
        """A name, its signature, its docstring, and its public methods."""
        name = f"{module.removeprefix('diffusion_lab.')}.{item.name}"
        section = nodes.section("", nodes.title("", "", nodes.literal("", item.name)), ids=[f"api-{name}"])
        call = signature(item)
        section += nodes.literal_block(call, call, language="python")
        section += self.text(ast.get_docstring(item) or "")
        for inner in public(item.body) if isinstance(item, ast.ClassDef) else ():
            call = signature(inner)
            section += nodes.literal_block(call, call, language="python")
            section += self.text(ast.get_docstring(inner) or "")
        return section

    def text(self, docstring: str) -> nodes.Node:
        """Docstrings keep their lines: equations in them are laid out by hand."""
        return nodes.literal_block(docstring, docstring, language="none", classes=["dl-docstring"])


def setup(app: Sphinx) -> None:
    app.add_directive("api", Api)
