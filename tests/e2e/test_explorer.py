"""The schedule explorer in a bare page, moved by keyboard."""

from itertools import pairwise

import pytest

from diffusion_lab.widgets.explorer import schedule_explorer
from tests.e2e.bare import assert_accessible, pictures, shown, told

pytestmark = pytest.mark.browser


def test_the_explorer_follows_the_keyboard(page, tmp_path):
    shown(page, tmp_path, schedule_explorer())
    assert "t = 0.500: a = 0.5269" in told(page)
    assert "SNR = 0.004682; 6.8 %" in told(page)
    seen = [pictures(page)]

    page.get_by_label("Time t").focus()
    page.keyboard.press("End")
    assert "t = 1.000: a = 0.06826" in told(page)
    seen.append(pictures(page))

    page.get_by_label("rescale to zero").focus()
    page.keyboard.press("Space")
    assert "t = 1.000: a = 0, σ = 1, SNR = 0, log SNR = −∞" in told(page)
    seen.append(pictures(page))

    page.get_by_label("Shift of log SNR").focus()
    page.keyboard.press("End")
    assert "κ = 8.00" in page.locator(".dl-bar").nth(1).inner_text()
    seen.append(pictures(page))
    for before, after in pairwise(seen):
        assert all(one != other for one, other in zip(before, after, strict=True))

    page.get_by_label("Schedule").select_option("flow")
    assert page.get_by_label("rescale to zero").is_disabled()
    page.get_by_label("Compared with").select_option("none")
    assert "0.0 % of the data's amplitude" in told(page)
    assert_accessible(page)
