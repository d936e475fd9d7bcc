"""JupyterLab for real: run notebooks, move their widgets by keyboard and mouse, and look at the frames."""

import pytest

from .jupyterlab import run_all, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Points and images; a choice of guidance; text.
OPENED = ("01_forward_and_reverse", "06_guidance", "10_text")
FRAME = """widget => { const view = widget.querySelector("canvas, .dl-text");
                       return view.toDataURL?.() ?? view.textContent; }"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One JupyterLab for all."""
    with serving(tmp_path_factory.mktemp("lab")) as url:
        yield url


@pytest.mark.parametrize("name", OPENED)
def test_x_t_moves_by_keyboard_mouse_and_choice_and_nobody_else_is_asked(page, address, name):
    run_all(page, address.format(name))
    widgets = page.locator(".dl-scrubber").all()
    assert len(widgets) >= 2
    for widget in widgets:
        widget.scroll_into_view_if_needed()
        moved_by_keys(page, widget)
        moved_by_mouse(page, widget)
        changed_by_choice(widget)
    assert {asked.split("/")[2] for asked in page.asked if asked.startswith("http")} == {
        address.split("/")[2]
    }


def moved_by_keys(page, widget):
    """Every key says another step, and the picture follows: two ends and a middle, and back."""
    slider, readout = widget.locator("input[type=range]"), widget.locator("output")
    slider.focus()
    frames = {"": widget.evaluate(FRAME)}
    for key in ("ArrowRight", "PageUp", "End", "ArrowLeft", "Home"):
        said = readout.inner_text()
        page.keyboard.press(key)
        assert readout.inner_text() != said, key
        frames[key] = widget.evaluate(FRAME)
    assert frames["Home"] == frames[""]
    assert len({frames["Home"], frames["PageUp"], frames["End"]}) == 3


def moved_by_mouse(page, widget):
    """Drag the handle from its left end to the middle."""
    box, before = widget.locator("input[type=range]").bounding_box(), widget.evaluate(FRAME)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=7)
    page.mouse.up()
    assert widget.evaluate(FRAME) != before


def changed_by_choice(widget):
    """Each choice starts at t = 1, or at the data where it runs forward, and ends in a picture of its own."""
    choice, slider = widget.locator("select"), widget.locator("input[type=range]")
    ends = []
    for index in range(choice.locator("option").count()):
        choice.select_option(index=index)
        assert "step 0 " in widget.locator("output").inner_text()
        slider.press("End")
        ends.append(widget.evaluate(FRAME))
    assert len(set(ends)) == len(ends) >= 2
