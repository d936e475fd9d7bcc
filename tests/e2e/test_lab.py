"""The exact lab and the guidance lab in a bare page: keyboard, pointer, read-out, table, themes."""

import pytest

from diffusion_lab.book.node import BOOK
from diffusion_lab.widgets.guided import guidance_lab
from diffusion_lab.widgets.lab import exact_lab
from tests.book.skips import packages_or_skip

pytestmark = [pytest.mark.browser, pytest.mark.float32]

AXE = BOOK / "node_modules/axe-core/axe.min.js"
PARTS = {"lab": exact_lab, "guided": guidance_lab}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Both parts, each in a page of its own."""
    folder = tmp_path_factory.mktemp("parts")
    head = "<!doctype html><html lang='en'><meta charset='utf-8'>"
    head += (
        "<meta name='viewport' content='width=device-width'><meta name='color-scheme' content='light dark'>"
    )
    for name, part in PARTS.items():
        body = f"<title>{name}</title><body><main><h1>A part</h1>{part()._repr_html_()}</main>"
        (folder / f"{name}.html").write_text(head + body, encoding="utf-8")
    return folder


def opened(page, files, name):
    page.goto((files / f"{name}.html").as_uri())
    page.wait_for_function("document.querySelectorAll('tbody tr').length > 3")
    page.wait_for_function("document.querySelector('.dl-readout').textContent")
    return page


def pixels(page, which=0):
    return page.evaluate("i => document.querySelectorAll('canvas')[i].toDataURL()", which)


def said(page, text):
    """Wait until the read-out says it."""
    page.wait_for_function(
        "text => document.querySelector('.dl-readout').textContent.includes(text)", arg=text
    )
    return page.locator(".dl-readout").inner_text()


def test_modes_move_by_keyboard_and_by_pointer(page, files):
    opened(page, files, "lab")
    field = page.get_by_role("application")
    before = [pixels(page, k) for k in range(7)]
    field.focus()
    page.keyboard.press("2")
    assert "Mode 2 at (1.50, −0.50)" in said(page, "Mode 2")
    assert page.get_by_label("Mode", exact=True).input_value() == "1"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    said(page, "Mode 2 at (1.40, −0.40)")
    assert all(was != pixels(page, k) for k, was in enumerate(before))
    assert "mode 2 at (1.40, −0.40)" in field.get_attribute("aria-label")

    box = field.bounding_box()
    at = [box["x"] + box["width"] * (0.1 + 2.6) / 5.2, box["y"] + box["height"] * (2.6 - 1.3) / 5.2]
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] - box["width"] / 5.2, at[1])
    page.mouse.up()
    said(page, "Mode 3 at (−0.9")
    assert {url.split(":")[0] for url in page.asked} <= {"file", "data"}


def test_more_calls_end_nearer_and_a_later_change_wins(page, files):
    opened(page, files, "lab")
    calls = page.get_by_label("Calls of the network")
    calls.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert calls.get_attribute("aria-valuetext") == "39"
    text = said(page, "39 calls")
    assert "Nearest to the ODE's ends: DPM-Solver++(2M), 0.00" in text
    rows = page.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows[:2]] == ["DDPM", "DDIM"]
    assert {row.split("\t")[1] for row in rows[:5]} == {"39"}
    page.get_by_label("Steps").select_option("uniform")
    said(page, "even in the path's own t")


def test_the_level_moves_the_arrows_and_not_the_samplers(page, files):
    opened(page, files, "lab")
    before = [pixels(page, k) for k in (0, 1)]
    page.get_by_label("Level t of the score").focus()
    page.keyboard.press("Home")
    assert "Score at t = 0.01, log SNR 6." in said(page, "t = 0.01")
    assert pixels(page, 0) != before[0]
    assert pixels(page, 1) == before[1]


def test_guidance_follows_its_scale_and_off_means_off(page, files):
    opened(page, files, "guided")
    before = pixels(page)
    scale = page.get_by_label("Guidance scale w")
    scale.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    text = said(page, "w = 1:")
    assert "by the ODE mean 0.99, deviation 0.50" in text
    assert "The tilted law: mean 1.00, deviation 0.50" in text
    assert pixels(page) != before
    page.keyboard.press("End")
    said(page, "w = 8:")
    page.get_by_label("Guide only").check()
    said(page, "w = 8 at middle levels only")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone_and_nothing_overflows(browser, files, name, scheme):
    packages_or_skip()
    context = browser.new_context(
        viewport={"width": 390, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = opened(context.new_page(), files, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found]
    context.close()
