"""TeX commands and the Unicode that stands for them in a terminal. Tables only."""

_GREEK_LOWER = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "omicron", "pi", "rho", "varsigma", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega",
]  # fmt: skip
GREEK = {name: chr(0x3B1 + i) for i, name in enumerate(_GREEK_LOWER)}
GREEK.update({name.capitalize(): chr(0x391 + i) for i, name in enumerate(_GREEK_LOWER) if name != "varsigma"})
GREEK.update(varepsilon="ε", vartheta="ϑ", varphi="φ", varrho="ϱ", varpi="ϖ", phi="φ")

ORDINARY = GREEK | {
    "infty": "∞", "partial": "∂", "nabla": "∇", "varnothing": "∅", "emptyset": "∅", "ell": "ℓ",
    "hbar": "ℏ", "forall": "∀", "exists": "∃", "neg": "¬", "dots": "…", "ldots": "…", "cdots": "⋯",
    "vdots": "⋮", "ddots": "⋱", "prime": "′", "top": "⊤", "bot": "⊥", "star": "⋆", "dagger": "†",
    "square": "□", "checkmark": "✓", "Re": "ℜ", "Im": "ℑ", "angle": "∠", "degree": "°", "%": "%",
    "$": "$", "#": "#", "&": "&", "_": "_", "imath": "ı", "jmath": "ȷ",
}  # fmt: skip
BINARY = {
    "pm": "±", "mp": "∓", "times": "×", "cdot": "·", "div": "÷", "ast": "∗", "circ": "∘", "bullet": "•",
    "oplus": "⊕", "otimes": "⊗", "ominus": "⊖", "odot": "⊙", "cup": "∪", "cap": "∩", "setminus": "∖",
    "wedge": "∧", "vee": "∨", "land": "∧", "lor": "∨",
}  # fmt: skip
RELATION = {
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼",
    "simeq": "≃", "cong": "≅", "equiv": "≡", "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋",
    "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "to": "→", "rightarrow": "→",
    "leftarrow": "←", "gets": "←", "Rightarrow": "⇒", "Leftarrow": "⇐", "leftrightarrow": "↔",
    "Leftrightarrow": "⇔", "iff": "⇔", "implies": "⇒", "mapsto": "↦", "longrightarrow": "⟶",
    "longleftarrow": "⟵", "uparrow": "↑", "downarrow": "↓", "ll": "≪", "gg": "≫", "perp": "⊥",
    "parallel": "∥", "mid": "|", "coloneqq": "≔", "triangleq": "≜", "doteq": "≐", "lesssim": "≲",
    "gtrsim": "≳", "prec": "≺", "succ": "≻", "hookrightarrow": "↪", "asymp": "≍",
    "rightleftharpoons": "⇌",
}  # fmt: skip
BIG = {
    "sum": "∑", "prod": "∏", "int": "∫", "oint": "∮", "iint": "∬", "coprod": "∐", "bigcup": "⋃",
    "bigcap": "⋂", "bigoplus": "⨁", "bigotimes": "⨂",
}  # fmt: skip
FUNCTIONS = frozenset([
    "log", "ln", "exp", "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "arcsin",
    "arccos", "arctan", "max", "min", "sup", "inf", "lim", "liminf", "limsup", "arg", "det", "dim",
    "ker", "gcd", "deg", "hom", "Pr", "argmax", "argmin",
])  # fmt: skip
_OPEN = {
    "(": "(", "[": "[", "\\{": "{", "\\lbrace": "{", "\\langle": "⟨", "\\lfloor": "⌊", "\\lceil": "⌈",
    "\\lvert": "|", "\\lVert": "‖",
}  # fmt: skip
_CLOSE = {
    ")": ")", "]": "]", "\\}": "}", "\\rbrace": "}", "\\rangle": "⟩", "\\rfloor": "⌋", "\\rceil": "⌉",
    "\\rvert": "|", "\\rVert": "‖",
}  # fmt: skip
_BAR = {"|": "|", "\\vert": "|", "\\|": "‖", "\\Vert": "‖"}
DELIMITERS = {
    token: (text, part)
    for table, part in ((_OPEN, "open"), (_CLOSE, "close"), (_BAR, "bar"), ({"/": "/"}, "slash"))
    for token, text in table.items()
}
SPACES = {",": " ", ":": " ", ";": " ", " ": " ", "!": "", "quad": "  ", "qquad": "    ", "thinspace": " "}
IGNORED = frozenset([
    "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber", "notag", "middle",
])  # fmt: skip
SIZES = frozenset(size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m"))
ACCENTS = {
    "bar": "\u0304", "overline": "\u0304", "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303",
    "widetilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7", "check": "\u030c",
    "breve": "\u0306", "mathring": "\u030a",
}  # fmt: skip

SUBSCRIPTS = dict(zip("0123456789+−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ"))
SUPERSCRIPTS = dict(
    zip("0123456789+−=()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
) | dict(zip("ABDEGHIJKLMNOPRTUVWβγδθφχ", "ᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ"))
SUPERSCRIPTS |= {"′": "′", "*": "*", "∗": "*", "⊤": "ᵀ", "∘": "°", "†": "†"}

_BASES = {  # capital, small, digit: where each styled alphabet begins
    "mathcal": (0x1D49C, 0x1D4B6, 0), "mathscr": (0x1D49C, 0x1D4B6, 0),
    "mathbb": (0x1D538, 0x1D552, 0x1D7D8), "mathbf": (0x1D400, 0x1D41A, 0x1D7CE),
    "boldsymbol": (0x1D400, 0x1D41A, 0x1D7CE), "bm": (0x1D400, 0x1D41A, 0x1D7CE),
    "mathfrak": (0x1D504, 0x1D51E, 0),
}  # fmt: skip
# Letters that Unicode had before the styled alphabets came, and that stand outside them.
_OLDER = {
    "mathcal": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ")), "mathbb": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ")),
    "mathfrak": dict(zip("CHIRZ", "ℭℌℑℜℨ")),
}  # fmt: skip
_OLDER["mathscr"] = _OLDER["mathcal"]
UPRIGHT = frozenset([
    "mathrm", "mathit", "mathsf", "mathtt", "textrm", "textit", "textbf", "textsf", "texttt", "text",
    "operatorname", "mbox",
])  # fmt: skip
FONTS = frozenset(_BASES)


def styled(font: str, letter: str) -> str | None:
    """The letter in a styled alphabet, e.g. 𝒩 for mathcal N; None where Unicode has no such letter."""
    capital, small, digit = _BASES[font]
    if letter in _OLDER.get(font, {}):
        return _OLDER[font][letter]
    if "A" <= letter <= "Z":
        return chr(capital + ord(letter) - ord("A"))
    if "a" <= letter <= "z":
        return chr(small + ord(letter) - ord("a"))
    if digit and "0" <= letter <= "9":
        return chr(digit + ord(letter) - ord("0"))
    if font in ("mathbf", "boldsymbol", "bm"):
        if "Α" <= letter <= "Ω":
            return chr(0x1D6A8 + ord(letter) - 0x391)
        if "α" <= letter <= "ω":
            return chr(0x1D6C2 + ord(letter) - 0x3B1)
    return None
