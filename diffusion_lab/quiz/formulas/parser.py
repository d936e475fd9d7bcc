"""A recursive-descent parser for typed formulas. Nothing that is typed is ever run as code."""

from diffusion_lab.quiz.formulas.names import FormulaError, Names
from diffusion_lab.quiz.formulas.tokens import Token, tokens
from diffusion_lab.quiz.formulas.trees import Tree, value

DEEPEST = 60
_OPENS = {"(": ")", "[": "]", "{": "}", "|": "|", "‖": "‖"}


def parse(text: str, names: Names, tight: bool = False) -> Tree:
    """The tree of a formula. With `tight`, factors written without a space bind before / : 1/2x is 1/(2x).

    FormulaError: it cannot be read, nests deeper than 60, or has a power above 20.
    """
    parser = _Parser(tokens(text, names), names, tight)
    try:
        tree = parser.sum()
    except RecursionError:  # the caller may stand deep in a stack of its own
        raise FormulaError("the formula nests too deep", 0) from None
    parser.expect("", "end")
    return tree


class _Parser:
    def __init__(self, found: list[Token], names: Names, tight: bool) -> None:
        self.found, self.names, self.tight = found, names, tight
        self.at, self.depth = 0, 0
        self.bars: list[str] = []

    @property
    def next(self) -> Token:
        return self.found[self.at]

    def take(self, *values: str) -> Token | None:
        """The next token if it is one of these operators."""
        token = self.next
        if token.sort == "op" and token.value in values:
            self.at += 1
            return token
        return None

    def expect(self, value: str, sort: str = "op") -> None:
        token = self.next
        if (token.sort, token.value) != (sort, value):
            found = f"`{token.value}`" if token.sort != "end" else "the end"
            raise FormulaError(
                f"expected {f'`{value}`' if value else 'the end'}, found {found}", token.column
            )
        self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise FormulaError(f"the formula nests deeper than {DEEPEST}", self.next.column)

    def sum(self) -> Tree:
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign.value == "-"
        tree = self.product()
        tree = ("neg", tree) if negative else tree
        while sign := self.take("+", "-"):
            tree = (sign.value, tree, self.product())
        return tree

    def product(self) -> Tree:
        tree = self.chunk()
        while True:
            if sign := self.take("*", "/"):
                tree = (sign.value, tree, self.chunk())
            elif self.starts_factor():
                tree = ("*", tree, self.chunk())
            else:
                return tree

    def chunk(self) -> Tree:
        """One factor; in a tight reading, all factors written without a space between them."""
        tree = self.factor()
        while self.tight and self.next.glued and self.starts_factor():
            tree = ("*", tree, self.factor())
        return tree

    def starts_factor(self) -> bool:
        token = self.next
        if token.sort == "op":
            closes = self.bars and token.value == self.bars[-1]
            return not closes and token.value in ("(", "[", "{", "|", "‖", "√", "∛", "root", "frac")
        if token.sort == "num" and self.found[self.at - 1].sort == "num":
            raise FormulaError("two numbers stand side by side", token.column)
        return token.sort in ("num", "const", "sym", "fn")

    def factor(self) -> Tree:
        """A signed power: -x^2 is -(x^2)."""
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign.value == "-"
        tree = self.power()
        return ("neg", tree) if negative else tree

    def power(self) -> Tree:
        """x^y^z is x^(y^z)."""
        base = self.primary()
        if not self.take("^"):
            return base
        at = self.next.column
        self.deeper()
        exponent = self.factor()
        self.depth -= 1
        return ("^", base, _limited(exponent, at, self.names.power))

    def primary(self) -> Tree:
        self.deeper()
        token = self.next
        self.at += 1
        if token.sort in ("num", "const"):
            tree: Tree = ("num", float(token.value))
        elif token.sort == "sym":
            self.arguments(token.value)
            tree = ("sym", token.value)
        elif token.sort == "fn":
            tree = self.function(token.value)
        elif token.sort == "op" and token.value in _OPENS:
            tree = self.bracketed(token.value)
        elif token.sort == "op" and token.value in ("√", "∛", "root", "frac"):
            tree = self.built(token.value)
        else:
            what = f"`{token.value}`" if token.sort != "end" else "the end"
            raise FormulaError(f"a number or symbol is missing before {what}", token.column)
        self.depth -= 1
        return tree

    def bracketed(self, opening: str) -> Tree:
        bar = opening in "|‖"
        self.bars.append(opening if bar else "")
        tree = self.sum()
        self.bars.pop()
        self.expect(_OPENS[opening])
        return ("fn", "abs", (tree,)) if bar else tree

    def built(self, sign: str) -> Tree:
        """√x, \\sqrt[3]{x}, \\frac{a}{b}."""
        if sign == "frac":
            return ("/", self.primary(), self.primary())
        if sign == "∛":
            return ("fn", "cbrt", (self.primary(),))
        index: Tree = ("num", 2.0)
        if sign == "root" and self.next.value == "[":
            index = self.primary()
        inside = self.primary()
        return (
            ("fn", "sqrt", (inside,)) if index == ("num", 2.0) else ("^", inside, ("/", ("num", 1.0), index))
        )

    def function(self, name: str) -> Tree:
        """f(x), f x, f^2(x); without brackets the argument is the next factor."""
        power = self.primary() if self.take("^") else None
        if name in ("sum", "prod"):
            return self.fold(name)
        if self.next.value in ("(", "[", "{") and self.next.sort == "op":
            closing = _OPENS[self.next.value]
            self.at += 1
            self.bars.append("")
            args = [self.sum()]
            while self.take(","):
                args.append(self.sum())
            self.bars.pop()
            self.expect(closing)
        else:
            args = [self.factor()]
        wanted = 2 if name in ("min", "max") else 1
        if len(args) != wanted:
            raise FormulaError(f"{name} takes {wanted} argument(s), not {len(args)}", self.next.column)
        tree: Tree = ("fn", name, tuple(args))
        return ("^", tree, power) if power else tree

    def fold(self, name: str) -> Tree:
        """sum(i, low, high, expression)."""
        self.expect("(")
        index = self.next
        if index.sort != "sym":
            raise FormulaError(f"{name} is written {name}(i, 1, n, expression)", index.column)
        self.at += 1
        parts = []
        for _ in range(3):
            self.expect(",")
            parts.append(self.sum())
        self.expect(")")
        return (name, index.value, *parts)

    def arguments(self, key: str) -> None:
        """eps_theta(x_t, t) is the symbol eps_theta: skip the arguments that the card writes it with."""
        written = self.names.calls.get(key)
        if written is None or self.next.value != "(":
            return
        depth, end = 0, self.at
        while end < len(self.found) - 1:
            depth += (self.found[end].value == "(") - (self.found[end].value == ")")
            end += 1
            if depth == 0:
                break
        inside = "".join(token.value for token in self.found[self.at + 1 : end - 1])
        if inside == written:
            self.at = end
        elif "," in inside:
            raise FormulaError("this function is not written with these arguments here", self.next.column)


def _limited(exponent: Tree, column: int, limit: float) -> Tree:
    try:
        size = abs(value(exponent, {}))
    except (ArithmeticError, ValueError, KeyError):
        return exponent
    if size > limit:
        raise FormulaError(f"a power of {size:g} is above the limit of {limit:g}", column)
    return exponent
