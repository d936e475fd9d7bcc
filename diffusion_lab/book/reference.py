"""{api} diffusion_lab.samplers: a module's public names with signature and docstring, read, not imported."""

import ast
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from diffusion_lab.setup.steps import ROOT

Def = ast.FunctionDef | ast.ClassDef


def tree(module: str) -> ast.Module:
    """The code of a module of the package."""
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


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
    """One section per name, so that the page's table of contents lists them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0]
        file = ROOT / (module.replace(".", "/") + ".py")
        if file.is_file():
            self.env.note_dependency(str(file))
        code = tree(module)
        about = ast.get_docstring(code) or ""
        return [self.text(about), *(self.entry(module, item) for item in public(code.body))]

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
