"""TeX shows in a terminal as the formula that was meant, or not at all."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from diffusion_lab.quiz.formulas.names import Names
from diffusion_lab.quiz.formulas.parser import parse
from diffusion_lab.quiz.formulas.trees import tex, value
from diffusion_lab.quiz.latex import TexError, in_text, math_spans, render
from diffusion_lab.quiz.latex.plain import to_ascii
from diffusion_lab.quiz.text import clean, hidden, width

fast = settings(max_examples=200, deadline=None, derandomize=True)

SHOWN = [
    (r"x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\epsilon", "xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε"),
    (r"\bar\alpha_{t-1}", "ᾱₜ₋₁"),
    (r"\bar{\alpha}_{t-1}^2", "ᾱₜ₋₁²"),
    (r"q(x_t\mid x_{t-1})", "q(xₜ | xₜ₋₁)"),
    (r"\mathcal N(\sqrt{1-\beta_t}\,x_{t-1},\beta_t I)", "𝒩(√(1 − βₜ) xₜ₋₁, βₜI)"),
    (
        r"\frac{1}{\sqrt{\alpha_t}}\Big(x_t-\frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\epsilon_\theta(x_t,t)\Big)",
        "(1/√αₜ)(xₜ − (βₜ/√(1 − ᾱₜ))ε_θ(xₜ, t))",
    ),
    (r"\tilde\beta_t=\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t", "β̃ₜ = ((1 − ᾱₜ₋₁)/(1 − ᾱₜ))βₜ"),
    (r"\mathbb E_{t,x_0}\lVert\epsilon-\epsilon_\theta(x_t,t)\rVert^2", "𝔼_(t,x₀)‖ε − ε_θ(xₜ, t)‖²"),
    (r"\nabla_{x_t}\log p_t(x_t)=-\frac{\epsilon}{\sigma_t}", "∇_(xₜ) log pₜ(xₜ) = −ε/σₜ"),
    (r"\mathrm dx=\left[f-\tfrac12 g^2\nabla\log p\right]\mathrm dt", "dx = [f − (1/2)g²∇ log p]dt"),
    (r"D_{\mathrm{KL}}(q\,\|\,p)\ge 0", "D_KL(q ‖ p) ≥ 0"),
    (r"\sum_{t=2}^{T}L_{t-1}+L_0", "∑ₜ₌₂ᵀ Lₜ₋₁ + L₀"),
    (r"\sum\limits_{i=1}^n x_i", "∑ᵢ₌₁ⁿ xᵢ"),
    (r"\prod_{s\le t}\alpha_s", "∏_(s≤t) αₛ"),
    (r"\int_0^1\beta(s)\,\mathrm ds", "∫₀¹ β(s) ds"),
    (r"e^{-\lambda/2}", "e^(−λ/2)"),
    (r"\lambda_t=\log\frac{a_t^2}{\sigma_t^2}", "λₜ = log (aₜ²/σₜ²)"),
    (r"\dot a_t x_0+\dot\sigma_t\epsilon", "ȧₜx₀ + σ̇ₜε"),
    (
        r"\tilde\epsilon=\hat\epsilon_\varnothing+w(\hat\epsilon_c-\hat\epsilon_\varnothing)",
        "ε̃ = ε̂_∅ + w(ε̂_c − ε̂_∅)",
    ),
    (r"t'=\frac{\kappa t}{1+(\kappa-1)t}", "t′ = κt/(1 + (κ − 1)t)"),
    (r"10^{-3}\approx 0.001", "10⁻³ ≈ 0.001"),
    (r"\sigma_{\text{data}}=0.5", "σ_data = 0.5"),
    (r"\operatorname{softmax}(QK^\top/\sqrt d)V", "softmax(QKᵀ/√d)V"),
    (r"\arg\min_\theta\mathcal L(\theta)", "arg min_θ ℒ(θ)"),
    (r"\frac{\partial p_t}{\partial t}=-\nabla\cdot(f p_t)", "∂pₜ/∂t = −∇ · (fpₜ)"),
    (r"\|\mu_r-\mu_g\|^2+\mathrm{Tr}(\Sigma_r\Sigma_g)^{1/2}", "‖μᵣ − μ_g‖² + Tr(ΣᵣΣ_g)^(1/2)"),
    (r"p(x)=\prod_i p(x_i\mid x_{<i})", "p(x) = ∏ᵢ p(xᵢ | x_(<i))"),
    (r"\{0,1\}^K", "{0, 1}ᴷ"),
    (r"\begin{cases}1&t=0\\0&\text{otherwise}\end{cases}", "{ 1, t = 0; 0, otherwise"),
    (r"\begin{pmatrix}a&b\\c&d-1\end{pmatrix}", "(a b; c (d − 1))"),
    (r"\begin{aligned}x&=a+b\\&=c\end{aligned}", "x = a + b\n  = c"),
    (r"W\in\mathbb R^{d\times r}", "W ∈ ℝ^(d×r)"),
    (r"\exp\!\left(-\tfrac12\int_0^t\beta(s)\,ds\right)", "exp(−(1/2) ∫₀ᵗ β(s) ds)"),
    (r"\frac{\frac ab}{c}", "(a/b)/c"),
    (r"\frac{\log p}{2}", "(log p)/2"),
    (r"\frac{-x}{y}", "(−x)/y"),
    (r"a-\frac bc-d", "a − b/c − d"),
    (r"\frac ab c", "(a/b)c"),
    (r"\frac{a}{p(x|z)+b}", "a/(p(x|z) + b)"),
    (r"\frac{q\|p}{2}", "(q‖p)/2"),
    (r"\frac{1}{|x|}", "1/|x|"),
    (r"\sqrt{\bar\alpha_t}x_0", "√ᾱₜ x₀"),
    (r"\frac{|a+b|}{\|c-d\|}", "|a + b|/‖c − d‖"),
    (r"\epsilon_\theta^2", "(ε_θ)²"),
    (r"{\epsilon_\theta}^2", "(ε_θ)²"),
    (r"\sqrt x^2", "(√x)²"),
    (r"{a+b}^2", "(a + b)²"),
    (r"\overline{x+y}", "overline(x + y)"),
    (r"\hat{\mathbf x}_0", "𝐱̂₀"),
    (r"x_{t,i}^{(n)}", "(x_(t,i))⁽ⁿ⁾"),
    (r"50\,\%", "50 %"),
    (r"\sqrt[3]{x+1}", "∛(x + 1)"),
    (r"\max_{x\in X}f(x)", "max_(x∈X) f(x)"),
    (r"\left.\frac{\mathrm d}{\mathrm dt}x\right|_{t=0}", "(d/dt)x|ₜ₌₀"),
    (r"a\epsilon_\theta x", "aε_θ x"),
    (r"X\sim_{iid}p", "X ∼_iid p"),
    (r"f(x)\text{if}", "f(x) if"),
    (r"\frac{d}{dk}+\frac{1}{dk}", "d/dk + 1/(dk)"),
    (r"\frac{ab}{ac}", "ab/(ac)"),
]


@pytest.mark.parametrize(("formula", "shown"), SHOWN, ids=[formula for formula, _ in SHOWN])
def test_a_formula_shows_as_it_is_read(formula, shown):
    assert render(formula) == unicodedata.normalize("NFC", shown)


@pytest.mark.parametrize(
    ("formula", "column", "says"),
    [
        (r"x+\foo y", 2, "`\\foo`"),
        (r"\aplha", 0, "did you mean `alpha`"),
        (r"\frac{a", 7, "`}` is missing"),
        (r"\frac{a}{}", 8, "empty"),
        (r"x_a_b", 3, "second `_`"),
        (r"a}b", 1, "nothing is open"),
        (r"\left(a", 7, "\\right"),
        (r"{}_2x", 4, "hangs on nothing"),
        (r"\mathbb{=}", 7, "no \\mathbb form"),
        (r"\begin{tikz}a\end{tikz}", 6, "environment `tikz`"),
        (r"\begin{cases}a", 14, "\\end{cases}"),
        (r"x+\begin{aligned}a\\b\end{aligned}", 0, "alone"),
        ("a\x1bb", 1, "no meaning"),
        ("{" * 60 + "x" + "}" * 60, 40, "levels"),
        ("x" * 3000, 0, "limit"),
        (r"\text{a $b$}", 5, "words only"),
    ],
)
def test_what_cannot_be_shown_truly_is_refused_with_its_column(formula, column, says):
    with pytest.raises(TexError) as error:
        render(formula)
    assert says in error.value.message
    assert error.value.column == column


SYMBOLS = {
    "at": "a_t",
    "alphabart": r"\bar{\alpha}_{t}",
    "epshat": r"\hat{\epsilon}",
    "w": "w",
    "x0": "x_{0}",
}
NAMES = Names({key: key for key in SYMBOLS}, SYMBOLS, {})
leaves = st.sampled_from(sorted(SYMBOLS)).map(lambda key: ("sym", key)) | st.integers(1, 20).map(
    lambda n: ("num", float(n))
)


def _grow(inner):
    binary = st.tuples(st.sampled_from("+-*/"), inner, inner)
    power = st.tuples(st.just("^"), inner, st.integers(-3, 3).map(lambda n: ("num", float(n))))
    call = st.tuples(st.just("fn"), st.sampled_from(["sqrt", "abs", "tanh"]), st.tuples(inner))
    return binary | power | call | st.tuples(st.just("neg"), inner)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.recursive(leaves, _grow, max_leaves=9))
def test_a_rendered_formula_reads_back_with_the_same_value(tree):
    """The strongest promise: no bracket is lost on the way to the terminal."""
    shown = render(tex(tree, SYMBOLS))
    back = parse(shown, NAMES)
    for point in ({"at": 0.6, "alphabart": 0.3, "epshat": -1.7, "w": 3.1, "x0": 0.45},):
        try:
            want = value(tree, point)
        except (ArithmeticError, ValueError):
            continue
        assert value(back, point) == pytest.approx(want, rel=1e-9), shown


atoms = st.sampled_from(
    [
        r"x",
        r"\alpha",
        r"\bar\alpha_t",
        r"x_{t-1}",
        r"\mathbb E",
        r"\epsilon_\theta(x_t,t)",
        "2",
        r"\|x\|",
        r"\nabla",
    ]
)


def _written(inner):
    pair = st.tuples(inner, inner)
    return (
        pair.map(lambda p: rf"\frac{{{p[0]}}}{{{p[1]}}}")
        | pair.map(lambda p: f"{p[0]}+{p[1]}")
        | pair.map(lambda p: rf"{p[0]}\,{p[1]}")
        | pair.map(lambda p: rf"{{{p[0]}}}_{{{p[1]}}}")
        | pair.map(lambda p: rf"{{{p[0]}}}^{{{p[1]}}}")
        | pair.map(lambda p: rf"\sum_{{{p[0]}}}{p[1]}")
        | inner.map(lambda i: rf"\sqrt{{{i}}}")
        | inner.map(lambda i: rf"\left({i}\right)")
        | inner.map(lambda i: rf"\log {i}")
        | inner.map(lambda i: rf"\hat{{{i}}}")
    )


@fast
@given(st.recursive(atoms, _written, max_leaves=8))
def test_every_well_formed_formula_renders_without_a_trace_of_tex(formula):
    shown = render(formula)
    assert shown
    assert not set("\\$") & set(shown)
    assert not list(hidden(shown))
    assert shown.count("(") == shown.count(")")


@fast
@given(st.text(max_size=60) | st.text(alphabet="\\{}_^&$frac sqrtxa0(|)[]'", max_size=60))
def test_any_text_renders_or_is_refused(text):
    try:
        column = len(render(text)) * 0
    except TexError as error:
        column = error.column
    assert 0 <= column <= len(text)


def test_formulas_are_found_outside_code_and_prices():
    text = "A $x_t$ for \\$5, `$y$` and\n```\n$z$\n```\n$$\na+b\n$$ but a lone $ is told, 3$x$4 too."
    found = [(span.tex, span.display) for span in math_spans(text)]
    assert found[:3] == [("x_t", False), ("\na+b\n", True), ("", False)]


def test_a_text_keeps_what_cannot_be_rendered():
    assert in_text(r"from $\sqrt{x_0}$ to $\foo$ for \$5") == r"from √x₀ to $\foo$ for $5"


@given(st.text())
@fast
def test_cleaning_twice_changes_nothing_and_leaves_nothing_hidden(text):
    once = clean(text)
    assert clean(once) == once
    assert not list(hidden(once))
    once.encode("utf-8")
    assert all(c in "\n\t" or ord(c) >= 32 for c in once)


@pytest.mark.parametrize(
    "attack",
    ["\x1b]52;c;aGk=\x07", "\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\x90q\x9c", "a\u202eb", "a\u200bb",
     "a\rb", "\x7f", "\u2066x\u2069", "\ufeff", "\u00ad", "\U000e0041", "\ud800"],
)  # fmt: skip
def test_terminal_attacks_become_visible(attack):
    shown = clean(attack)
    assert shown != attack
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert list(hidden(attack))


def test_plain_text_is_left_alone():
    text = "xₜ = √ᾱₜ x₀\n\tnaïve 日本 🙂\u00a0%"
    assert clean(text) == text


@pytest.mark.parametrize("formula", [formula for formula, shown in SHOWN if "\n" not in shown])
def test_width_is_the_terminals(formula):
    shown = render(formula)
    assert width(shown) == wcswidth(shown)


def test_wide_letters_take_two_columns():
    assert width("日本 x") == 6


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε", "x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps"),
        ("𝒩(√(1 − βₜ) xₜ₋₁, βₜI)", "N(sqrt(1 - beta_t) x_(t-1), beta_t I)"),
        ("∑ₜ₌₂ᵀ Lₜ₋₁ ≥ 10⁻³", "sum_(t=2)^T L_(t-1) >= 10^(-3)"),
        ("√20 αβ x̂₀²", "sqrt(20) alpha beta x_hat_0^2"),
        ("naïve café “q” 日", 'naive cafe "q" ?'),
        ("plain", "plain"),
    ],
)
def test_terminals_without_greek_get_ascii(shown, plain):
    assert to_ascii(shown) == plain


@fast
@given(st.text())
def test_ascii_is_ascii(text):
    assert to_ascii(text).isascii()
