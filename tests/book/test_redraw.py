"""The draws that a page holds of a numeric card are the terminal's own."""

from diffusion_lab.book.anchors import cards
from diffusion_lab.book.card import DRAWS, SEED, draws
from diffusion_lab.quiz.asked import ask
from diffusion_lab.quiz.draws import plan, sweep


def test_a_page_holds_five_different_draws_or_all_there_are_each_as_the_terminal_asks_it():
    numeric = [card for card in cards().cards.values() if card.kind == "numeric"]
    assert numeric
    for card in numeric:
        held = draws(card)
        possible = {str(values.written) for values in sweep(plan(card.body), card.id, 1000)}
        assert len({str(asked.values.written) for asked in held}) == len(held), card.id
        assert len(held) == min(DRAWS, len(possible)), card.id
        assert held[0].seed == SEED
        last = ask(card, held[-1].seed)
        assert (held[-1].prompt, held[-1].answer, held[-1].number) == (last.prompt, last.answer, last.number)


def test_other_kinds_are_asked_in_one_way():
    others = [card for card in cards().cards.values() if card.kind != "numeric"]
    assert {len(draws(card)) for card in others} == {1}
