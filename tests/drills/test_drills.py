"""Every drill: the stub fails, the answer passes, every known mistake is caught and told from the others."""

import inspect
import itertools
from pathlib import Path

import pytest
import torch

from diffusion_lab.drills import check, grade, hint, load, names, passed, solution
from diffusion_lab.drills.grade import difference, same

DRILLS = names()
ROOT = Path(__file__).parents[2]


@pytest.mark.float32
@pytest.mark.parametrize("name", DRILLS)
def test_the_stub_fails_and_the_answer_passes(name):
    drill = load(name)
    rooms = dict(drill.answer.__globals__)
    exec(drill.stub, rooms)
    assert not grade(drill, rooms[name]).passed
    assert not grade(drill, rooms[name]).tried
    exec(drill.solution, rooms)
    assert grade(drill, rooms[name]).passed


@pytest.mark.float32
@pytest.mark.parametrize("name", DRILLS)
def test_every_mistake_is_caught_and_told_apart(name):
    drill = load(name)
    assert len(drill.mistakes) >= 3
    for sentence, wrong in drill.mistakes.items():
        assert grade(drill, wrong)[:3] == (False, sentence, sentence)
        assert list(inspect.signature(wrong).parameters) == list(inspect.signature(drill.answer).parameters)


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_is_short_and_its_texts_are_sentences(name):
    drill = load(name)
    assert drill.solution.count("\n") <= 14
    assert len(drill.hints) == 3
    page, _, section = drill.book.partition("#")
    assert f"({page}-{section})=" in (ROOT / f"book/{page}.md").read_text(encoding="utf-8")
    for text in (drill.title, *drill.hints, *drill.mistakes):
        assert text.endswith("."), text
        assert len(text) <= 200, text


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSION_LAB_HOME", str(tmp_path))


@pytest.mark.float32
def test_check_names_the_mistake_and_goes_on_with_the_reference(own_home, capsys):
    drill = load("q_sample")
    sentence, wrong = next(iter(drill.mistakes.items()))
    assert check("q_sample", wrong) is drill.answer
    assert sentence in capsys.readouterr().out
    assert passed() == {"q_sample": False}
    assert check("q_sample", drill.answer) is drill.answer
    assert passed() == {"q_sample": True}


@pytest.mark.float32
def test_who_has_written_nothing_gets_the_reference_and_no_record(own_home, capsys):
    def nothing(x0, eps, abar):
        raise NotImplementedError

    assert check("q_sample", nothing) is load("q_sample").answer
    assert capsys.readouterr().out.startswith("TODO")
    assert passed() == {}


@pytest.mark.float32
def test_strict_mode_stops(own_home, monkeypatch):
    monkeypatch.setenv("LAB_STRICT", "1")
    with pytest.raises(AssertionError, match="q_sample"):
        check("q_sample", lambda x0, eps, abar: x0)


@pytest.mark.float32
def test_after_the_solution_a_pass_does_not_count_as_known(own_home, capsys):
    hint("q_sample", 3)
    solution("q_sample")
    assert "return" in capsys.readouterr().out
    check("q_sample", load("q_sample").answer)
    assert passed() == {"q_sample": False}


@pytest.mark.float32
@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda x0, eps, abar: None, "returns nothing"),
        (lambda x0, eps, abar: x0[0], "the shape is"),
        (lambda x0, eps, abar: x0.double(), "float64"),
        (lambda x0, eps, abar: x0.mul_(2), "in place"),
        (lambda x0, eps, abar: 1 / 0, "ZeroDivisionError"),
        (lambda x0, eps, abar: 0.9 * x0, "none of the known"),
    ],
)
def test_an_unknown_mistake_is_described(fn, says):
    assert says in grade(load("q_sample"), fn).message


def test_of_several_values_the_wrong_one_is_described():
    assert "2 where 3 is expected" in difference((1.0, 2.0), (1.0, 3.0))
    assert "the shape is (2,)" in difference([torch.zeros(2)], [torch.zeros(3)])


def test_a_number_that_passed_through_float32_is_right_and_the_next_digit_is_not():
    assert same(float(torch.tensor(0.913, dtype=torch.float32)), 0.913)
    assert not same(0.9131, 0.913)


def test_an_unknown_drill_suggests_the_nearest():
    with pytest.raises(ValueError, match="q_sample"):
        load("q_smaple")


def test_no_two_drills_teach_under_one_title():
    for a, b in itertools.combinations(DRILLS, 2):
        assert load(a).title != load(b).title
