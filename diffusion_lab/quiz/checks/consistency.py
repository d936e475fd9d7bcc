"""Rules that ask a card its own question: its answer is right, its mistakes are wrong and are told apart."""

import math
from collections.abc import Iterator
from itertools import combinations

from diffusion_lab.quiz import draws, formulas
from diffusion_lab.quiz.answers import score
from diffusion_lab.quiz.asked import ask
from diffusion_lab.quiz.cards import Card, Cloze, Formula, Numeric
from diffusion_lab.quiz.checks.content import keyword_faults
from diffusion_lab.quiz.checks.house import House
from diffusion_lab.quiz.closed import near
from diffusion_lab.quiz.formulas.names import FormulaError
from diffusion_lab.quiz.problems import Problem

MOST_DRAWS = 200


def numbers(house: House) -> Iterator[Problem]:
    """At every draw the answer is finite and each mistake lies outside the tolerance and stands apart."""
    for card in house.deck.cards.values():
        if isinstance(card.body, Numeric):
            fault = _numeric_fault(card, card.body)
            if fault:
                yield house.fault(card, fault[0], "see quizzes/README.md, kind numeric", line=fault[1])


def _numeric_fault(card: Card, body: Numeric) -> tuple[str, int] | None:
    """(what is wrong, on which line) of the first draw that is."""
    line = body.line
    try:
        for values in draws.sweep(draws.plan(body), card.id, MOST_DRAWS):
            drawn = ", ".join(f"{name} = {text}" for name, text in values.written.items()) or "these values"
            line = body.line
            right = draws.compute(body.value, values)
            if not math.isfinite(right):
                return f"the answer is not finite at {drawn}", line
            for text in (card.title, card.prompt, card.answer, card.why, *card.hints):
                draws.fill(text, values)
            wrong = []
            for mistake in card.mistakes:
                line = mistake.line
                draws.fill(mistake.message, values)
                wrong.append(draws.compute(mistake.value, values))
                if near(wrong[-1], right, body):
                    return f"this mistake is accepted as right at {drawn}", line
            for (one, first), (other, second) in combinations(zip(wrong, card.mistakes), 2):
                if math.isclose(one, other, rel_tol=1e-9) and first.value != second.value and not body.draw:
                    return f"this mistake equals `{first.value}`", second.line
    except (FormulaError, ArithmeticError, ValueError) as error:
        return f"this cannot be computed: {error}", line
    return None


def formulas_hold(house: House) -> Iterator[Problem]:
    """A formula card accepts its answer, rejects each mistake and knows it by name."""
    for card in house.deck.cards.values():
        if isinstance(card.body, Formula):
            yield from _formula_faults(house, card, card.body)


def _formula_faults(house: House, card: Card, body: Formula) -> Iterator[Problem]:
    fix = "see quizzes/README.md, kind formula"
    try:
        spec = formulas.spec(body)
    except FormulaError as error:
        yield house.fault(card, f"the formula cannot be read: {error.message}", fix, line=body.line)
        return
    for mistake in card.mistakes:
        verdict = formulas.judge(spec, [], mistake.value)
        if not verdict.understood:
            yield house.fault(card, f"the mistake cannot be read: {verdict.message}", fix, line=mistake.line)
            return
        if verdict.right:
            yield house.fault(card, "this mistake is right", "delete it", line=mistake.line)
    for mistake in card.mistakes:
        if formulas.judge(spec, card.mistakes, mistake.value).slip not in ("", mistake.message):
            yield house.fault(card, "this mistake equals one above", "delete one", line=mistake.line)


def cloze_fills(house: House) -> Iterator[Problem]:
    """A cloze accepts the fillings that it lists."""
    for card in house.deck.cards.values():
        if isinstance(card.body, Cloze):
            listed = "; ".join(gap[0].replace(";", ",") for gap in card.body.gaps)
            if not score(ask(card, 0), listed).must:
                yield house.fault(card, "the card does not accept its own words", "use plain words in {{ }}")


def answers_tick(house: House) -> Iterator[Problem]:
    """The whiteboard answer of a card makes its own must points and raises none of its red flags."""
    for card in house.deck.cards.values():
        if card.kind != "open" or keyword_faults(card):
            continue
        result = score(ask(card, 0), f"{card.one_liner}\n\n{card.answer}"[:20_000])
        for point, met in zip(card.points, result.met):
            if point.must and point.keywords and not met:
                message = "the card's own answer does not make this point"
                yield house.fault(
                    card, message, "say it in ### Answer, or mend the keywords", line=point.line
                )
        for flag in result.flags:
            message = "the card's own answer raises this red flag"
            yield house.fault(card, message, "narrow its keywords", line=card.red_flags[flag].line)
