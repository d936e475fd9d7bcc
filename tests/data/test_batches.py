"""Batches: a pure function of the step, every example once per epoch, disjoint shares."""

import pytest
import torch

from diffusion_lab.data import TOYS, Batches, Draws, Share
from diffusion_lab.seeds import rng_at

N, BATCH = 101, 12
X = torch.arange(N)[:, None] * torch.tensor([1.0, 1000.0])
LABELS = torch.arange(N) % 7


def rows(batches: Batches, steps: range) -> list[int]:
    """Which examples the steps show, in order."""
    return [int(i) for step in steps for i in batches(step)[0][:, 0]]


def test_each_epoch_shows_every_example_once_though_batches_cross_its_end():
    seen = rows(Batches(X, LABELS, Share(BATCH)), range(N))  # 12 epochs: 101 batches of 12
    for epoch in range(BATCH):
        assert sorted(seen[epoch * N : (epoch + 1) * N]) == list(range(N))


def test_a_batch_larger_than_the_set_takes_whole_epochs():
    seen = rows(Batches(X, None, Share(3 * N + 5)), range(1))
    counts = torch.tensor(seen).bincount(minlength=N)
    assert len(seen) == 3 * N + 5
    assert counts.min() == 3
    assert counts.max() == 4


def test_epochs_and_seeds_differ_in_order():
    orders = [
        tuple(rows(Batches(X, None, Share(N), seed), range(e, e + 1))) for seed in range(3) for e in range(3)
    ]
    assert len(set(orders)) == 9


def test_a_step_does_not_depend_on_the_steps_before_it():
    there = Batches(X, LABELS, Share(BATCH), seed=5)
    forward = [there(step) for step in range(30)]
    fresh = Batches(X, LABELS, Share(BATCH), seed=5)
    for step in reversed(range(30)):
        for a, b in zip(forward[step], fresh(step)):
            assert torch.equal(a, b)


def test_labels_stay_with_their_examples():
    x, labels = Batches(X, LABELS, Share(BATCH))(17)
    assert torch.equal(labels, x[:, 0].long() % 7)
    assert Batches(X, None, Share(BATCH))(17)[1] is None


@pytest.mark.parametrize("world", [2, 3, 4])
def test_processes_share_out_the_batch_of_a_single_one(world):
    for step in (0, 7, 8, 9):  # a batch inside an epoch, two at its end, one in the next
        whole = Batches(X, LABELS, Share(BATCH))(step)
        parts = [Batches(X, LABELS, Share(BATCH, rank, world))(step) for rank in range(world)]
        for k in (0, 1):
            assert torch.equal(torch.cat([part[k] for part in parts]), whole[k])
        assert {len(part[0]) for part in parts} == {BATCH // world}


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_out_fresh_draws(world):
    law = TOYS["moons"]
    whole, none = Draws(law, Share(BATCH))(5)
    parts = [Draws(law, Share(BATCH, rank, world))(5)[0] for rank in range(world)]
    assert none is None
    assert torch.equal(torch.cat(parts), whole)


def test_fresh_draws_differ_from_step_to_step_and_seed_to_seed():
    draws = [Draws(TOYS["rings"], Share(3), seed)(step)[0] for seed in range(5) for step in range(41)]
    assert len(torch.stack(draws).flatten(1).unique(dim=0)) == len(draws)
    assert torch.equal(Draws(TOYS["rings"], Share(3), 4)(40)[0], draws[-1])


def test_no_two_steps_share_a_generator():
    """Torch's CPU generator reads 32 bits of its seed, so these must differ in them."""
    near = {rng_at("a", seed, step).initial_seed() for seed in range(53) for step in range(997)}
    assert len(near) == 53 * 997
    assert rng_at("b", 0, 0).initial_seed() not in near
    far = {rng_at("a", 0, 5 ^ 2**k).initial_seed() for k in range(32)}
    assert len(far) == 32
    assert max(near | far) < 2**32


def test_streams_of_neighbouring_steps_are_uncorrelated():
    first = torch.stack([torch.randn(2, generator=rng_at("a", 0, step)) for step in range(10_007)])
    assert (first.mean(0).abs() < 5 / 10_007**0.5).all()
    lagged = (first[1:] * first[:-1]).mean(0)
    assert (lagged.abs() < 5 / 10_006**0.5).all()


def test_flip_mirrors_about_half_of_the_images_and_nothing_else():
    x = torch.arange(3.0).expand(N, 1, 2, 3) + 10 * torch.arange(N)[:, None, None, None]
    plain, flipped = (Batches(x, None, Share(N), flip=flip) for flip in (False, True))
    mirrored = 0
    for step in range(11):
        a, b = plain(step)[0], flipped(step)[0]
        own = (a != b).flatten(1).any(1)
        assert torch.equal(b[own], a[own].flip(-1))
        mirrored += int(own.sum())
    assert mirrored / (11 * N) == pytest.approx(0.5, abs=5 * 0.5 / (11 * N) ** 0.5)


def test_flips_do_not_depend_on_the_number_of_processes():
    x = torch.arange(N * 6.0).reshape(N, 1, 2, 3)
    whole = Batches(x, None, Share(BATCH), flip=True)(9)[0]
    parts = [Batches(x, None, Share(BATCH, rank, 3), flip=True)(9)[0] for rank in range(3)]
    assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Share(0), "a batch of 0 over 1 processes"),
        (lambda: Share(10, 0, 3), "a batch of 10 over 3 processes: give a positive multiple"),
        (lambda: Share(4, 2, 2), "process 2 of 2: ranks run from 0 to 1"),
        (lambda: Share(4, -1, 2), "process -1 of 2"),
        (lambda: Share(4).rows(-1), "step -1: steps count from 0"),
        (lambda: Batches(X[:0], None, Share(2)), "the data set is empty"),
        (lambda: Batches(X, LABELS[:5], Share(2)), r"labels of shape \(5,\) .* give one label per example"),
        (lambda: Batches(X, None, Share(2), flip=True), r"flip=True for data of shape \(101, 2\)"),
    ],
)
def test_bad_input_is_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()
