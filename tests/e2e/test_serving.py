"""The serving calculator in a bare page: presets, typed numbers, and numbers that are refused."""

import pytest

from diffusion_lab.widgets.serving import serving_calculator
from tests.e2e.bare import assert_accessible, pictures, shown, told

pytestmark = pytest.mark.browser


def test_the_calculator_counts_what_is_typed_and_refuses_nonsense(page, tmp_path):
    shown(page, tmp_path, serving_calculator())
    assert "Batch 1: 2.92 s, 9.13 GB (fits 24 GB), 1.62 for 1000 images." in told(page)
    results = page.get_by_role("list", name="Results and their formulas")
    assert "latency of the batch = 2.92 s = K · (g · T(2b) + (1 − g) · T(b))" in results.inner_text()
    before = pictures(page)

    page.get_by_label("N: steps").fill("5")
    assert "Batch 1: 0.663 s" in told(page)
    page.get_by_label("b: batch").focus()
    page.keyboard.press("ArrowUp")
    assert "Batch 2:" in told(page)
    assert pictures(page) != before

    good = told(page)
    for bad, word in (("-3", "not -3"), ("2.5", "a whole number"), ("", "not nothing")):
        page.get_by_label("b: batch").fill(bad)
        assert word in page.get_by_role("alert").inner_text()
        assert page.get_by_label("b: batch").get_attribute("aria-invalid") == "true"
        assert told(page) == good
    page.get_by_label("Price per hour").fill("-1")
    assert "batch: give" in page.get_by_role("alert").inner_text()  # the first one is still refused
    page.get_by_label("Price per hour").fill("2")
    page.get_by_label("b: batch").fill("20")
    assert page.get_by_role("alert").inner_text() == ""
    assert "does not fit: 24 GB are there" in told(page)

    page.get_by_label("Network").select_option("one token, 8 billion parameters")
    assert page.get_by_label("Parameters, billions").input_value() == "8"
    assert "waits for reading the weights" in told(page)
    page.get_by_label("Solver").select_option("heun")
    assert "evaluations K = 9 = 2 N − 1" in results.inner_text()
    assert_accessible(page)
