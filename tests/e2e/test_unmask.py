"""Masked text in a bare page: a text appears call by call, and the law that results is read off."""

import re

import pytest

from diffusion_lab.widgets.masked import twelve, unmasking_lab
from tests.e2e.bare import assert_accessible, pictures, shown, told

pytestmark = pytest.mark.browser


def test_a_text_appears_and_its_law_is_told(page, tmp_path):
    shown(page, tmp_path, unmasking_lab())
    assert "random: 3.00 calls for a sentence; 73.3 % of texts are sentences" in told(page)
    text = page.get_by_role("list", name="The text after every call")
    page.get_by_role("button", name="Next call").focus()
    for call in (1, 2, 3):
        page.keyboard.press("Enter")
        last = text.locator("li").last
        assert last.inner_text().count("▢") == 6 - 2 * call
        assert last.locator("strong").count() == 2
        assert f"After call {call}:" in told(page)
    page.keyboard.press("Enter")
    assert text.locator("li").count() == 1

    before = pictures(page)
    page.get_by_label("Tokens a call").focus()
    page.keyboard.press("Home")
    assert "100.0 % of texts are sentences; total variation to the true law 0.000" in told(page)
    assert all(one != other for one, other in zip(pictures(page), before, strict=True))
    page.get_by_label("Order").select_option("confidence")
    assert "100.0 % of texts are sentences; total variation to the true law 0.552" in told(page)

    page.get_by_label("Order").select_option("entropy bounded")
    page.get_by_label("Budget of a call").focus()
    page.keyboard.press("Home")
    assert "4.00 calls for a sentence; 100.0 %" in told(page)
    for _ in range(4):
        page.get_by_role("button", name="Next call").press("Enter")
    law = twelve()
    said = re.search(r"After call 4: (.*): a sentence\.", told(page)).group(1)
    texts = {" ".join(law.words[i][word] for i, word in enumerate(row)) for row in law.rows.tolist()}
    assert said in texts
    assert_accessible(page)
