"""A card's link `page#section` is the label `(page-section)=` on the page book/page.md.

Links into pages that are not written yet are left alone; a page that is must have every section that cards
name.
"""

from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from diffusion_lab.quiz.cards import Card
from diffusion_lab.quiz.deck import Deck, load
from diffusion_lab.quiz.library import bundled

log = logging.getLogger(__name__)


@cache
def cards() -> Deck:
    """The decks that came with the package: a reader's own cards stay out of the book."""
    return load([bundled() + "/cards"])


def label(link: str) -> str:
    """forward#closed-form -> forward-closed-form; a link without section is the page's own label."""
    return link.replace("#", "-")


def page(link: str) -> str:
    """forward#closed-form -> book/forward."""
    return "book/" + link.partition("#")[0]


def labels(env: BuildEnvironment) -> dict[str, str]:
    """Every label of the book, and its page."""
    return {name: place[0] for name, place in env.get_domain("std").anonlabels.items()}  # type: ignore[attr-defined]


def faults(card: Card, pages: set[str], known: dict[str, str]) -> str:
    """What is wrong with a card's link, or nothing."""
    if page(card.book) not in pages or "#" not in card.book:
        return ""
    if known.get(label(card.book)) != page(card.book):
        return f"card `{card.id}` links to {card.book}: {page(card.book)}.md has no ({label(card.book)})="
    return ""


def place(env: BuildEnvironment, target: str) -> str:
    """The page of a section's label, or of a card in the bank; nothing if it is not written yet."""
    if target.startswith("card-"):
        card = cards().find(target.removeprefix("card-"))
        bank = "book/bank/" + Path(card.file).stem.replace("_", "-") if card else ""
        return bank if bank in env.all_docs else ""
    return labels(env).get(target, "")


def title(env: BuildEnvironment, target: str) -> str:
    """What a card or a labelled section is called."""
    if target.startswith("card-"):
        card = cards().find(target.removeprefix("card-"))
        return card.title if card else ""
    sections: dict[str, tuple[str, str, str]] = env.get_domain("std").labels  # type: ignore[attr-defined]
    return sections[target][2] if target in sections else ""


def follow(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.Node | None:
    """Links that cards make: plain text where nothing is written yet."""
    if node["reftype"] != "dl-place":
        return None
    there = place(env, node["reftarget"])
    if called := title(env, node["reftarget"]):
        text = nodes.inline("", called)
    return make_refnode(app.builder, node["refdoc"], there, node["reftarget"], text) if there else text


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Report every card whose section is missing on a page that exists."""
    known = labels(env)
    for card in cards().cards.values():
        if wrong := faults(card, set(env.all_docs), known):
            log.warning("%s", wrong, location=page(card.book))


def setup(app: Sphinx) -> None:
    app.connect("env-check-consistency", check)
    app.connect("missing-reference", follow)
