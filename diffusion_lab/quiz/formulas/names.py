"""Names in typed formulas: abar_t, alpha_bar_t, ᾱₜ and \\bar\\alpha_t are one symbol.

A name is a base, accents and subscripts. Its key joins them (alphabar + t -> "alphabart"), so that every
spelling of a symbol has the same key. `Names` is the closed vocabulary of a card: all else is refused.
"""

from typing import NamedTuple

from diffusion_lab.quiz.latex.symbols import ACCENTS, GREEK, SUBSCRIPTS, SUPERSCRIPTS

MARKS = {mark: name for name, mark in ACCENTS.items() if not name.startswith(("wide", "over"))}
MARKS["\u0305"] = "bar"
ACCENT_WORDS = ("bar", "hat", "tilde", "dot", "prime", "check", "vec")
LETTERS = {letter: name for name, letter in GREEK.items() if not name.startswith("var")} | {
    "ϵ": "epsilon", "ε": "epsilon", "ϕ": "phi", "ϑ": "theta", "ς": "sigma", "ℓ": "ell", "∅": "null",
}  # fmt: skip
LOWERED = {small: letter for letter, small in SUBSCRIPTS.items()}
RAISED = {small: letter for letter, small in reversed(SUPERSCRIPTS.items()) if small not in "*′°†"}
SAME_NAME = {
    "epsilon": "eps", "varepsilon": "eps", "lam": "lambda", "varphi": "phi", "vartheta": "theta",
    "emptyset": "null", "varnothing": "null", "ell": "l", "alphas": "alpha", "sig": "sigma",
}  # fmt: skip
FUNCTIONS = frozenset([
    "exp", "log", "ln", "log2", "log10", "sqrt", "cbrt", "abs", "sin", "cos", "tan", "tanh", "sinh", "cosh",
    "sigmoid", "softplus", "min", "max", "round", "floor", "ceil",
])  # fmt: skip


class FormulaError(ValueError):
    """A formula that cannot be read: a sentence, and the column (from 0) where it stopped."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message, self.column = message, column


class Name(NamedTuple):
    """A base with its accents and subscripts, in plain letters."""

    base: str
    accents: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.base + "".join(self.accents) + "".join(self.subs)

    @property
    def tex(self) -> str:
        """The name as TeX, to show how an answer was read."""
        base = "\\epsilon" if self.base == "eps" else f"\\{self.base}" if self.base in GREEK else self.base
        base = base if base.startswith("\\") or len(base) == 1 else f"\\mathrm{{{base}}}"
        for accent in self.accents:
            base = base + "'" if accent == "prime" else f"\\{accent}{{{base}}}"
        subs = ",".join("\\epsilon" if s == "eps" else f"\\{s}" if s in GREEK else s for s in self.subs if s)
        return f"{base}_{{{subs}}}" if subs else base


def name(word: str, subs: tuple[str, ...] = (), accents: tuple[str, ...] = ()) -> Name:
    """The name that a word with subscripts stands for: ("abar", ("t",)) is alpha with a bar, subscript t."""
    for accent in ACCENT_WORDS:
        if word.endswith(accent) and len(word) > len(accent):
            word, accents = word.removesuffix(accent), (accent, *accents)
            break
    base = word.rstrip("0123456789") or word
    subs = (word[len(base) :], *subs)
    accents = (*accents, *(sub for sub in subs if sub in ACCENT_WORDS))
    subs = tuple(sub for sub in subs if sub and sub not in ACCENT_WORDS)
    base = SAME_NAME.get(base, base)
    return Name("alpha" if base == "a" and "bar" in accents else base, accents, subs)


def subscript(text: str) -> str:
    """A subscript in plain letters: \\theta, θ -> theta; spaces, braces, commas and bars fall away."""
    text = text.replace("\\,", "").replace("\\mathrm", "").replace("\\text", "")
    text = "".join(LOWERED.get(letter, letter) for letter in text).replace("−", "-")
    plain = "".join(LETTERS.get(letter, letter) for letter in text)
    word = "".join(letter for letter in plain if letter.isalnum() or letter in "-+'*")
    return SAME_NAME.get(word, word)


class Names(NamedTuple):
    """The vocabulary of a formula: the key of every spelling -> the symbol's own key, and the functions.

    `tex` shows a symbol, `calls` holds the arguments that one may be written with, `phrases` are patterns of
    spellings that are no names, with the symbol's key; `power` is the largest number allowed as an exponent.
    """

    symbols: dict[str, str]
    tex: dict[str, str]
    calls: dict[str, str]
    phrases: tuple[tuple[str, str], ...] = ()
    functions: frozenset[str] = FUNCTIONS
    power: float = 20.0
