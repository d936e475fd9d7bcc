"""The answer of a card in layers: one breath, whiteboard, points, traps, sources; empty ones are left out."""

import html
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from docutils import nodes

from diffusion_lab.book.anchors import label
from diffusion_lab.quiz.asked import Asked
from diffusion_lab.quiz.cards import Bug, Card, Cloze, Option
from diffusion_lab.quiz.draws import fill


class Page(NamedTuple):
    """What a card needs from its page: Markdown set as nodes, and links to sections and cards."""

    markdown: Callable[[str], list[nodes.Node]]
    link: Callable[[str, str], list[nodes.Node]]


def raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def folded(summary: str, inside: Sequence[nodes.Node], kind: str) -> list[nodes.Node]:
    """Something to open."""
    opening = f'<details class="{kind}"><summary>{html.escape(summary)}</summary>'
    return [raw(opening), *inside, raw("</details>")]


def headed(head: str, inside: list[nodes.Node], kind: str = "") -> list[nodes.Node]:
    """A part of the answer under a small heading; nothing without contents."""
    if not inside:
        return []
    classes = ["dl-part", *([kind] if kind else [])]
    return [nodes.container("", nodes.paragraph("", "", nodes.strong("", head)), *inside, classes=classes)]


def answer(asked: Asked, page: Page) -> Iterator[nodes.Node]:
    """What stands behind "Show the answer"."""
    card, md = asked.card, page.markdown
    yield from headed("In one breath", md(card.one_liner))
    yield from right(asked, page)
    yield from headed("On the whiteboard", md(asked.answer))
    yield from headed("Why", md(asked.why))
    yield from headed("A full answer says", points(card, page))
    yield from headed("Common wrong answer", md(card.common_wrong), "dl-wrong")
    yield from headed("Slips with a name", mistakes(asked, page), "dl-wrong")
    yield from headed(
        "Better not said", [bullets([flag.text for flag in card.red_flags], page)] if card.red_flags else []
    )
    yield from headed("Why they ask", md(card.why_asked))
    yield from headed("They go on with", followed(card, page))
    yield from headed("Read", [nodes.paragraph("", "", *page.link(label(card.book), card.book))])
    yield from headed("Source", md("; ".join(card.sources)), "dl-source")


def right(asked: Asked, page: Page) -> list[nodes.Node]:
    """The right pick of a closed card."""
    body = asked.card.body
    if asked.options:
        told = [told_of(option) for option in asked.options]
        lines = f"Line {', '.join(map(str, body.lines))}." if isinstance(body, Bug) else ""
        return headed("Right", [*page.markdown(lines), bullets(told, page)])
    if asked.steps:
        steps = sorted(asked.steps, key=lambda step: step.rank)
        return headed("Right order", [bullets([step.text for step in steps], page, nodes.enumerated_list)])
    if isinstance(body, Cloze):
        return headed("The gaps", [bullets([gap[0] for gap in body.gaps], page, nodes.enumerated_list)])
    if isinstance(body, Bug):
        return headed("Right", page.markdown(f"Line {', '.join(map(str, body.lines))}."))
    return []


def told_of(option: Option) -> str:
    """An option with its verdict and the reason."""
    said = f"{'**Right:**' if option.right else 'Wrong:'} {option.text}"
    return f"{said}: {option.feedback}" if option.feedback else said


def bullets(texts: Sequence[str], page: Page, kind: type[nodes.Element] = nodes.bullet_list) -> nodes.Element:
    """A list of Markdown texts."""
    look = (
        {"enumtype": "arabic", "prefix": "", "suffix": "."}
        if kind is nodes.enumerated_list
        else {"bullet": "-"}
    )
    return kind("", *[nodes.list_item("", *page.markdown(text)) for text in texts], **look)


def points(card: Card, page: Page) -> list[nodes.Node]:
    """Key points; the script turns them into boxes to tick."""
    texts = [point.text if point.must else f"{point.text} *(nice to have)*" for point in card.points]
    if not texts:
        return []
    made = bullets(texts, page)
    made["classes"].append("dl-points")
    return [made]


def mistakes(asked: Asked, page: Page) -> list[nodes.Node]:
    """Wrong values or formulas by name."""
    filled = (lambda text: fill(text, asked.values)) if asked.values else (lambda text: text)
    said = [(filled(mistake.value).strip("{}"), filled(mistake.message)) for mistake in asked.card.mistakes]
    items = [
        nodes.list_item(
            "", nodes.literal("", value), raw(f'<div data-slip="{n}">'), *page.markdown(text), raw("</div>")
        )
        for n, (value, text) in enumerate(said)
    ]
    return [nodes.bullet_list("", *items, bullet="-")] if items else []


def followed(card: Card, page: Page) -> list[nodes.Node]:
    """Links to the cards that come next."""
    ids = dict.fromkeys([follow.to for follow in card.follow_ups])
    items = [nodes.list_item("", nodes.paragraph("", "", *page.link(f"card-{id}", id))) for id in ids]
    return [nodes.bullet_list("", *items, bullet="-")] if items else []
