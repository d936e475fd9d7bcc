"""The trajectory fan in a bare page, moved by keyboard."""

import pytest

from diffusion_lab.widgets.fan import trajectory_fan
from tests.e2e.bare import assert_accessible, pictures, shown, told

pytestmark = [pytest.mark.browser, pytest.mark.float32]


def test_the_fan_opens_and_the_regression_stays(page, tmp_path):
    shown(page, tmp_path, trajectory_fan())
    assert "t = 1.0: best of 16 beliefs" in told(page)
    assert "follows 0 of 4 manoeuvres. The regression's one path" in told(page).replace("\n", " ")
    regression = told(page).splitlines()[-1]
    seen = [pictures(page)]

    page.get_by_label("Reverse step").focus()
    page.keyboard.press("End")
    assert "follows 4 of 4 manoeuvres: yield, merge, accelerate, brake." in told(page)
    assert told(page).splitlines()[-1] == regression
    seen.append(pictures(page))

    page.get_by_label("Samples").focus()
    page.keyboard.press("Home")
    assert "t = 0.0: one belief" in told(page)
    seen.append(pictures(page))

    page.get_by_label("Reverse step").focus()
    page.keyboard.press("Home")
    believed = pictures(page)
    page.get_by_label("draw x_t").focus()
    page.keyboard.press("Space")
    assert pictures(page) != believed
    page.get_by_label("Scene").select_option("3")
    assert regression not in told(page)
    seen.append(pictures(page))
    assert len({str(one) for one in seen}) == 4
    assert_accessible(page)
