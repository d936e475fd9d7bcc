"""The registry: one shape for every data set, and cheap to import."""

import subprocess
import sys

import pytest
import torch

from diffusion_lab.data import DATASETS, TOYS, Batches, Draws, Share, load, training_batches

OFFLINE = [name for name in DATASETS if name not in ("mnist", "fashion_mnist", "cifar10")]


@pytest.mark.parametrize("name", OFFLINE)
def test_a_data_set_gives_the_same_examples_each_time_and_others_to_test_on(name):
    (x, labels), again, (held_out, _) = load(name), load(name, "train"), load(name, "test")
    assert torch.equal(x, again[0])
    assert x.shape[1:] == held_out.shape[1:]
    assert not set(map(tuple, x.flatten(1).tolist())) & set(map(tuple, held_out.flatten(1).tolist()))
    assert (labels is None) == (name in TOYS)


@pytest.mark.parametrize(("name", "size"), [("digits", 8), ("digits16", 16), ("digits32", 32)])
def test_digits_are_named_by_their_size(name, size):
    assert load(name)[0].shape == (901, 1, size, size)


def test_toys_are_trained_on_fresh_draws_and_sets_on_epochs():
    assert isinstance(training_batches("moons", Share(4)), Draws)
    batches = training_batches("digits", Share(901), seed=3, device="cpu")
    assert isinstance(batches, Batches)
    x, labels = batches(0)
    train, train_labels = load("digits")
    assert torch.equal(x.flatten(1).unique(dim=0), train.flatten(1).unique(dim=0))
    assert torch.equal(labels.bincount(), train_labels.bincount())


def test_unknown_names_and_splits_are_sentences():
    with pytest.raises(ValueError, match="no data set 'digit': did you mean 'digits'"):
        load("digit")
    with pytest.raises(ValueError, match="no data set 'moon': did you mean 'moons'"):
        training_batches("moon", Share(2))
    with pytest.raises(ValueError, match="no split 'validation'"):
        load("rings", "validation")


def test_importing_the_room_loads_none_of_its_heavy_neighbours():
    code = (
        "import sys, diffusion_lab.data; print([m for m in ('sklearn', 'PIL', 'pooch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
