"""One place owns precision, seeds and threads; shapes in annotations are checked while the tests run."""

import os

import pytest
import torch
from jaxtyping import install_import_hook

os.environ.setdefault("MPLBACKEND", "agg")
install_import_hook("diffusion_lab", "beartype.beartype")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def numerics(request: pytest.FixtureRequest):
    """float64 for mathematics; tests marked float32 train or sample networks as users do."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if request.node.get_closest_marker("float32") else torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def rng() -> torch.Generator:
    """A fresh generator per test: no test depends on another's draws."""
    return torch.Generator().manual_seed(0)
