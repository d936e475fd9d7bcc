"""One card as part of a page: the question first, the answer folded, so that it reads with scripts off.

The data that quiz.mjs needs to mark an answer stands beside it as JSON; the page itself never needs it. A
card whose numbers are drawn holds more draws in templates, which stay unseen until quiz.mjs asks for one.
"""

import html
import itertools
import json
import math
from collections.abc import Iterator, Sequence

from docutils import nodes

from diffusion_lab.book.layers import Page, answer, folded, raw
from diffusion_lab.book.marking import marking
from diffusion_lab.quiz.asked import Asked, ask
from diffusion_lab.quiz.cards import Bug, Card, Cloze, Numeric
from diffusion_lab.quiz.draws import plan

SEED = 1
DRAWS = 5
"""Draws that a numeric card has at most: each adds its formulas to the page."""
LEVELS = {1: "warm-up", 2: "standard", 3: "senior", 4: "staff"}
_TICK = '<span class="dl-note">Then show the answer and tick what you said.</span>'
DOES = {
    "open": f"Say it out loud first. {_TICK}", "choice": "One is right.", "many": "Any number may be right.",
    "numeric": "Work out the number.", "formula": "Write the formula.", "cloze": "Fill the gaps.",
    "order": "Put them in order.", "bug": f"Find the faulty line, and say why. {_TICK}",
}  # fmt: skip


def rendered(card: Card, page: Page, level: int) -> list[nodes.Node]:
    """The whole card; `level` is that of its title among the headings."""
    facts = {
        "card": card.id, "kind": card.kind, "level": card.level, "topic": card.topic, "time": card.time,
        "tags": " ".join(card.tags), "grill": card.grill or "", "aliases": " ".join(card.aliases),
    }  # fmt: skip
    data = "".join(f' data-{name}="{html.escape(str(value))}"' for name, value in facts.items())
    about = f"{card.topic} · {LEVELS[card.level]} · {card.time} s"
    head = (
        f'<div class="dl-card-head"><span class="dl-card-title" role="heading" aria-level="{level}" '
        f'id="card-{card.id}-title">{html.escape(card.title)}</span> '
        f'<span class="dl-card-about">{html.escape(about)}</span></div>'
    )
    first, *others = draws(card)
    parts: list[nodes.Node] = [
        raw(
            f'<section class="dl-card" id="card-{card.id}" aria-labelledby="card-{card.id}-title"{data}>'
            f'{head}<div class="dl-asking">'
        ),
        *asking(first, page),
        raw("</div>"),
    ]
    for other in others:
        parts += [raw('<template class="dl-draw">'), *asking(other, page), raw("</template>")]
    return [*parts, raw("</section>")]


def draws(card: Card) -> list[Asked]:
    """The card as the page's seed asks it; of a numeric card other draws too, those of the next seeds."""
    if not isinstance(card.body, Numeric):
        return [ask(card, SEED)]
    possible = math.prod(len(variable.values) for variable in plan(card.body).variables)
    different: dict[str, Asked] = {}
    seeds = itertools.count(SEED)
    while len(different) < min(DRAWS, possible):
        asked = ask(card, next(seeds))
        assert asked.values
        different.setdefault(str(asked.values.written), asked)
    return list(different.values())


def asking(asked: Asked, page: Page) -> list[nodes.Node]:
    """One asking: the question, what marks an answer, the hints, the answer."""
    marks = json.dumps(marking(asked)).replace("<", "\\u003c")
    parts = [
        *question(asked, page),
        raw(f'<p class="dl-does">{DOES[asked.card.kind]}</p>'),
        raw(f'<script type="application/json" class="dl-marking">{marks}</script>'),
    ]
    for number, hint in enumerate(asked.hints, 1):
        parts += folded(f"Hint {number} of {len(asked.hints)}", page.markdown(hint), "dl-hint")
    return [*parts, *folded("Show the answer", list(answer(asked, page)), "dl-reveal")]


def question(asked: Asked, page: Page) -> Iterator[nodes.Node]:
    """What is asked, and what can be picked."""
    body = asked.card.body
    if isinstance(body, Cloze):
        gaps = [f"**(gap {number})**" for number in range(1, len(body.gaps) + 1)]
        text = "".join(part + gap for part, gap in zip(body.parts, [*gaps, ""]))
        yield from page.markdown(text)
    else:
        yield from page.markdown(asked.prompt)
    if isinstance(body, Bug):
        yield nodes.literal_block(body.code, body.code, language=body.language or "python", linenos=True)
    if asked.options:
        yield lettered([option.text for option in asked.options], page)
    if asked.steps:
        yield lettered([step.text for step in asked.steps], page)


def lettered(texts: Sequence[str], page: Page) -> nodes.enumerated_list:
    """a), b), c) ..."""
    items = [nodes.list_item("", *page.markdown(text)) for text in texts]
    return nodes.enumerated_list(
        "", *items, enumtype="loweralpha", prefix="", suffix=".", classes=["dl-options"]
    )
