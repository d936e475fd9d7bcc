"""A store of its own for every test that asks for one."""

import pytest

from diffusion_lab.quiz.store import open_store

from .stores import NOON


@pytest.fixture
def home(tmp_path):
    return str(tmp_path / "home")


@pytest.fixture
def store(home):
    with open_store(NOON, home) as opened:
        yield opened
