"""What the tests of the quiz in the page share: finding a card, answering it, the log of the browser."""

import json
from pathlib import Path

from diffusion_lab.book.anchors import cards
from diffusion_lab.quiz.asked import ask

EXAMPLES, BANK, GRILL = "book/bank/examples.html", "book/bank.html", "book/grill.html"
KEY = "diffusion-lab/log/1"


def card_of(page, kind):
    return page.locator(f'.dl-card[data-kind="{kind}"]').first


def asked_of(card):
    return ask(cards().find(card.get_attribute("data-card")), 1)


def told(card):
    return card.locator(".dl-verdict").inner_text()


def comes(card):
    """When the card comes back, once the page has said it."""
    card.locator(".dl-back:not(:empty)").wait_for()
    return card.locator(".dl-back").inner_text()


def kept(page):
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')") or "[]")


def answer(card, text):
    card.locator("input").fill(text)
    card.locator("input").press("Enter")


def take_in(page, text):
    file = {"name": "log.jsonl", "mimeType": "application/x-ndjson", "buffer": text.encode()}
    page.get_by_label("Import").set_input_files(file)


def given_back(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    return Path(download.value.path()).read_bytes()
