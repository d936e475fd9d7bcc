"""The scrubber in a bare page: keyboard, read-out, both tracks, reduced motion, and life without scripts."""

import pytest
import torch

from diffusion_lab import grids
from diffusion_lab.oracles import GaussianMixture, TokenTable
from diffusion_lab.processes import Categorical, Gaussian
from diffusion_lab.samplers import ancestral, ddim
from diffusion_lab.schedules import Flow
from diffusion_lab.widgets import forward, reverse, scrub, unmasking

pytestmark = [pytest.mark.browser, pytest.mark.float32]


def points():
    law, rng, process = (
        GaussianMixture.ring(5, dtype=torch.float32),
        torch.Generator().manual_seed(0),
        Gaussian(Flow()),
    )
    x0, noise = law.sample(101, rng)[0], torch.randn(101, 2, generator=rng)
    steps = ddim(law.denoiser(process), noise, grids.uniform(20))
    return scrub(
        "Ring </script><b>of five",
        forward(process, x0, noise, torch.linspace(0, 1, 31)),
        reverse(process, steps),
    )


def images():
    rng = torch.Generator().manual_seed(0)
    x0, noise = torch.rand(7, 1, 8, 8, generator=rng) * 2 - 1, torch.randn(7, 1, 8, 8, generator=rng)
    return scrub("Seven images", forward(Gaussian(Flow()), x0, noise, torch.linspace(0, 1, 11)))


@pytest.fixture
def shown(page, tmp_path):
    """Both widgets on one page, opened from a file."""
    file = tmp_path / "page.html"
    body = points()._repr_html_() + images()._repr_html_()
    file.write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>t</title><body>{body}", encoding="utf-8"
    )
    page.file = file
    page.goto(file.as_uri())
    page.wait_for_selector("canvas")
    return page


def pixels(page, which=0):
    return page.evaluate("i => document.querySelectorAll('canvas')[i].toDataURL()", which)


def test_every_key_moves_the_slider_and_the_picture(shown):
    slider, readout = shown.locator("input[type=range]").first, shown.locator("output").first
    slider.focus()
    seen = {pixels(shown)}
    for key, text in (
        ("ArrowRight", "step 1 of 30"),
        ("End", "step 30 of 30"),
        ("ArrowLeft", "step 29"),
        ("Home", "step 0"),
    ):
        shown.keyboard.press(key)
        assert text in readout.inner_text()
        assert slider.get_attribute("aria-valuetext") == readout.inner_text()
        seen.add(pixels(shown))
    assert len(seen) == 4
    shown.keyboard.press("PageUp")
    assert "step 0 " not in readout.inner_text()


def test_the_readout_tells_the_truth_at_both_ends(shown):
    readout = shown.locator("output").first
    assert (
        readout.inner_text()
        == "step 0 of 30: t = 0.000, log SNR = infinite (clean), a = 1.000, sigma = 0.000"
    )
    shown.locator("input[type=range]").first.focus()
    shown.keyboard.press("End")
    assert "log SNR = minus infinite (pure noise), a = 0.000, sigma = 1.000" in readout.inner_text()


def test_the_reverse_track_shows_what_the_model_believes(shown):
    figures = shown.locator(".dl-scrubber").first.locator("figure")
    assert not figures.nth(1).is_visible()
    shown.locator("select").first.select_option(index=1)
    assert figures.nth(1).is_visible()
    assert "step 0 of 20: t = 1.000" in shown.locator("output").first.inner_text()
    assert "what the model believes x_0 is" in figures.nth(1).locator("canvas").get_attribute("aria-label")
    before = pixels(shown, 1)
    shown.locator("input[type=range]").first.focus()
    shown.keyboard.press("End")
    assert pixels(shown, 1) != before


def test_play_runs_to_the_end_and_can_be_paused(shown):
    button = shown.locator("button").last
    button.click()
    assert button.inner_text() == "Pause"
    shown.wait_for_function("document.querySelectorAll('output')[1].textContent.includes('step 10 of 10')")
    assert button.inner_text() == "Play"


def test_reduced_motion_moves_one_step_per_press(shown):
    shown.emulate_media(reduced_motion="reduce")
    button = shown.locator("button").last
    for step in (1, 2):
        button.click()
        assert f"step {step} of 10" in shown.locator("output").last.inner_text()


def test_a_title_cannot_break_out_of_the_page(shown):
    assert shown.locator("b").count() == 0
    assert "Ring </script><b>of five" in shown.locator("canvas").first.get_attribute("aria-label")


def test_every_control_has_a_name(shown):
    for control in ("slider", "combobox", "button"):
        for element in shown.get_by_role(control).all():
            assert element.evaluate("e => e.labels?.[0]?.textContent || e.textContent")


def test_nothing_is_asked_of_anyone(shown):
    assert {url.split(":")[0] for url in shown.asked} <= {"file", "data"}


def test_without_scripts_a_picture_and_its_words_remain(browser, shown):
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(shown.file.as_uri())
    picture = still.locator("img.dl-still").first
    assert picture.is_visible()
    assert picture.evaluate("i => i.naturalWidth") > 300
    assert "x_t at t = 0.00, 0.20, 0.40, 0.60, 0.80, 1.00" in picture.get_attribute("alt")
    context.close()


def test_dark_pages_get_light_points(browser, shown):
    context = browser.new_context()
    dark = context.new_page()
    dark.goto(shown.file.as_uri())
    dark.wait_for_selector("canvas")
    bright = "document.querySelector('canvas').getContext('2d').fillStyle"
    assert dark.evaluate(bright) == "#000000"
    dark.evaluate("document.body.style.color = 'rgb(255, 255, 255)'")
    dark.wait_for_function(f"{bright} === '#ffffff'")
    context.close()


def words():
    """Two words of three letters, uncovered one after another by an exact denoiser."""
    process = Categorical.masked(Flow(), 3)
    p = torch.zeros(3, 3, 3)
    p[0, 1, 2] = p[2, 1, 0] = 0.5
    denoise = TokenTable(p.flatten(), 3, 3).denoiser(process)
    rng = torch.Generator().manual_seed(0)
    x = process.prior(process.noise(torch.zeros(2, 3, dtype=torch.long), rng))
    steps = ancestral(denoise, x, grids.uniform(6), rng)
    return scrub("Words <b>", unmasking(process, steps, lambda row: "".join("abc_"[i] for i in row)))


def paths():
    rng = torch.Generator().manual_seed(0)
    x0, noise = torch.rand(7, 11, 2, generator=rng), torch.randn(7, 11, 2, generator=rng)
    walk = forward(Gaussian(Flow()), x0, noise, torch.linspace(0, 1, 5))
    straight = torch.tensor([[-2.0, 0.0], [2.0, 0.0]])
    return scrub("Paths", walk.named("one"), walk.named("two"), choice="Which", scene=[straight])


@pytest.fixture
def open_page(page, tmp_path):
    def show(widget):
        file = tmp_path / "page.html"
        file.write_text(
            f"<!doctype html><meta charset='utf-8'><body>{widget._repr_html_()}", encoding="utf-8"
        )
        page.goto(file.as_uri())
        page.wait_for_selector("input[type=range]")
        return page

    return show


def test_tokens_are_text_and_are_uncovered(open_page):
    page = open_page(words())
    shown = page.locator("pre.dl-text").first
    assert shown.inner_text() == "___\n___"
    assert "clean with probability 0.000" in page.locator("output").inner_text()
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    assert set(shown.inner_text().splitlines()) <= {"abc", "cba"}
    assert "clean with probability 1.000" in page.locator("output").inner_text()


def test_paths_have_a_scene_and_a_choice_with_its_own_name(open_page):
    page = open_page(paths())
    assert page.get_by_label("Which").locator("option").all_inner_texts() == ["one", "two"]
    first = pixels(page)
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    assert pixels(page) != first


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="can be drawn"):
        forward(Gaussian(Flow()), torch.zeros(3, 5), torch.zeros(3, 5), [0.0, 1.0])
    with pytest.raises(ValueError, match="same number"):
        scrub("Both", *points().tracks[:1], *images().tracks)
