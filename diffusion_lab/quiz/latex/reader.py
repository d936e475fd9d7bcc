"""Reads one TeX formula by recursive descent into pieces for `layout.join`."""

import re

from diffusion_lab.quiz.latex import symbols
from diffusion_lab.quiz.latex.commands import COMMANDS
from diffusion_lab.quiz.latex.layout import Box, Piece, grouped, join, scripted
from diffusion_lab.quiz.text import nearest

DEEPEST = 40
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_NEVER_STARTS = frozenset(["}", "&", "\\\\", "\\end", "\\right"])
_OPERATORS = {"+": "+", "-": "−", "*": "*", "−": "−"} | {sign: sign for sign in symbols.BINARY.values()}
_RELATIONS = dict.fromkeys("=<>:") | dict.fromkeys(set(symbols.RELATION.values()) - {"|"})
_TABLES = (
    (symbols.ORDINARY, "ord"),
    (symbols.BINARY, "bin"),
    (symbols.RELATION, "rel"),
    (symbols.BIG, "big"),
    (symbols.SPACES, "space"),
)


class TexError(ValueError):
    """A formula that cannot be rendered: what is wrong, and the column (from 0) in the formula."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column + 1} of the formula)")
        self.message, self.column = message, column


class Reader:
    """The tokens of one formula, and the place that is read next."""

    def __init__(self, tex: str) -> None:
        found = [(m.group(), m.start()) for m in _TOKEN.finditer(tex) if m.group()[1:] not in symbols.IGNORED]
        self.tokens = [token for token, _ in found]
        self.columns = [*(column for _, column in found), len(tex)]
        self.at, self.depth = 0, 0

    def peek(self) -> str:
        """The next token; '' at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        """The next token that is not space, not yet taken."""
        while self.peek().isspace():
            self.at += 1
        return self.peek()

    def take(self) -> str:
        token = self.next()
        self.at += 1
        return token

    def column(self) -> int:
        return self.columns[min(self.at, len(self.columns) - 1)]

    def error(self, message: str, column: int) -> TexError:
        return TexError(message, column)

    def expect(self, token: str, why: str) -> None:
        if self.next() != token:
            raise TexError(f"`{token}` is missing {why}", self.column())
        self.at += 1

    def sequence(self, stops: tuple[str, ...]) -> list[Piece]:
        """Pieces up to one of the stops, which is left for the caller."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise TexError(f"more than {DEEPEST} levels of nesting", self.column())
        pieces: list[Piece] = []
        while (token := self.next()) and token not in stops and token not in _NEVER_STARTS:
            pieces += self._with_scripts(self.nucleus())
        self.depth -= 1
        return pieces

    def _with_scripts(self, base: list[Piece]) -> list[Piece]:
        """The nucleus with the primes, subscript and superscript that follow it."""
        scripts: dict[str, str] = {}
        primes = ""
        while self.next() in ("_", "^", "'"):
            at, mark = self.column(), self.take()
            if mark == "'":
                primes += "′"
            elif mark in scripts:
                raise TexError(f"a second `{mark}`: write {{...}} around the first part", at)
            else:
                scripts[mark] = self._script()
        if not scripts and not primes:
            return base
        if primes:
            scripts["^"] = primes + scripts.get("^", "")
        head: list[Piece] = []
        if len(base) > 1 and base[-1].part in ("close", "bar"):
            head, base = base[:-1], base[-1:]
        body = base[0] if len(base) == 1 else grouped(join(base))
        if not body.text.strip():
            raise TexError("this script hangs on nothing", self.column())
        if body.part in ("open", "punct"):
            body = body._replace(part="ord")
        return [*head, scripted(body, scripts.get("_"), scripts.get("^"))]

    def _script(self) -> str:
        """What stands after _ or ^, with no spaces but those of words."""
        pieces = self.argument()
        text = join(pieces).text
        return text.strip() if any(p.part == "text" for p in pieces) else text.replace(" ", "")

    def argument(self) -> list[Piece]:
        """The argument of a command: a group in braces, or one symbol."""
        token = self.next()
        if not token or token in _NEVER_STARTS:
            raise TexError("an argument is missing", self.column())
        if token != "{":
            return self.nucleus()
        self.at += 1
        pieces = self.sequence(("}",))
        self.expect("}", "at the end of this group")
        return pieces

    def box(self) -> Box:
        """The argument of a command, as one line; it may not be empty."""
        at, box = self.column(), join(self.argument())
        if not box.text.strip():
            raise TexError("an argument is empty", at)
        return box

    def raw_group(self) -> str:
        """The source text of a group in braces, or of one token."""
        if self.next() != "{":
            return self.take()
        self.at += 1
        start, depth = self.at, 1
        while depth and self.at < len(self.tokens):
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += 1
        if depth:
            raise TexError("`}` is missing at the end of this group", self.column())
        return "".join(self.tokens[start : self.at - 1])

    def nucleus(self) -> list[Piece]:
        """One symbol, group or command, without its scripts."""
        at, token = self.column(), self.next()
        if token == "{":
            pieces = self.argument()
            return [grouped(join(pieces))] if pieces else []
        self.at += 1
        if token in symbols.DELIMITERS:
            return [Piece(*symbols.DELIMITERS[token])]
        if not token.startswith("\\"):
            return [_character(token, at)]
        name = token[1:]
        for table, part in _TABLES:
            if name in table:
                return [Piece(table[name], part)]
        if name in symbols.FUNCTIONS:
            return [Piece(name, "func")]
        if name in COMMANDS:
            return COMMANDS[name](self, name)
        known = [*COMMANDS, *symbols.FUNCTIONS, *(name for table, _ in _TABLES for name in table)]
        advice = nearest(name, known) or "write it more simply"
        raise TexError(f"no terminal form is known for `{token}`; {advice}", at)


def _character(token: str, column: int) -> Piece:
    if token in _OPERATORS:
        return Piece(_OPERATORS[token], "bin")
    if token in _RELATIONS:
        return Piece(token, "rel")
    if token in ",;":
        return Piece(token, "punct")
    if token == "~":
        return Piece(" ", "space")
    if token in "\\$%#^_'" or not token.isprintable():
        raise TexError(f"`{token}` has no meaning here", column)
    return Piece(token, "ord")
