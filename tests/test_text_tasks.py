"""The text tasks train, and their shipped weights are as good as their cards say."""

from dataclasses import replace

import pytest
import torch

from diffusion_lab import zoo
from diffusion_lab.seeds import rng_at
from diffusion_lab.steps import final
from diffusion_lab.tasks.text import PAIRS, TASKS, prose_pair
from diffusion_lab.text import LANGUAGES, in_order, infill, quota
from diffusion_lab.text.scores import (
    PLANS,
    infilled,
    masked_bound,
    of_shipped,
    sampled,
    validity,
)
from diffusion_lab.text.unmask import certainty

pytestmark = pytest.mark.float32


def shipped(name):
    model = TASKS[name].untrained()
    zoo.fill(model, name)
    return model


EVERY = {task.name: task for both in PAIRS.values() for task in both}


@pytest.mark.parametrize("name", EVERY)
def test_the_first_steps_lower_the_loss(name):
    recipe = replace(EVERY[name].recipe, warmup=5)
    trainer = replace(EVERY[name], recipe=recipe, batch=32).trainer()
    losses = [record.loss.item() for _, record in zip(range(20), trainer.fit())]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_any_text_file_is_a_task(tmp_path):
    (tmp_path / "words.txt").write_text("the quick brown fox jumps over the lazy dog. " * 20)
    for task in prose_pair(tmp_path / "words.txt", length=16):
        trainer = replace(task, recipe=replace(task.recipe, steps=2)).trainer()
        assert len(list(trainer.fit())) == 2
        assert task.name.startswith("words")


@pytest.mark.parametrize("name", EVERY)
def test_a_task_knows_the_shape_of_its_texts(name):
    task = EVERY[name]
    x0, cond = task.trainer().batches(0)
    assert x0.shape == (task.batch, *task.shape)
    assert cond is None


def test_both_sizes_are_the_same_but_for_the_time():
    for both in PAIRS.values():
        model, twin = (task.untrained() for task in both)
        n, m = (sum(p.numel() for p in x.parameters()) for x in (model, twin))
        time = sum(p.numel() for p in model.net.embedding.parameters())
        assert abs(n - time - m) < 0.01 * m


def test_the_shipped_dates_are_valid_different_and_partly_new():
    language, model = LANGUAGES["dates"](), shipped("dates")
    scores = validity(
        sampled(in_order(model, PLANS["certainty"]), language, language.length, 300, seed=1), language
    )
    assert scores["valid"] >= 0.95
    assert scores["different"] > 0.5
    assert scores["unseen"] > 0


def test_one_step_is_not_enough_for_dates():
    # All tokens at once are drawn from the product of their marginals: almost no date agrees with itself.
    language, model = LANGUAGES["dates"](), shipped("dates")
    assert validity(sampled(model, language, 1, 300), language)["valid"] < 0.05


def test_both_sides_of_a_gap_beat_one():
    language, model, twin = LANGUAGES["dates"](), shipped("dates"), shipped("dates-twin")
    x0 = language.rows("test")
    known = torch.ones_like(x0, dtype=torch.bool)
    known[:, :6] = False  # the day and the beginning of the month, which the right side repeats
    rng = rng_at("gaps", 0, 0)
    both = final(infill(in_order(model, quota(certainty)), x0, known, 6, rng))
    left = infilled(twin, x0, known, rng)
    assert language.valid(language.alphabet.texts(both)) > 0.9
    assert language.valid(language.alphabet.texts(left)) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_cards_say_what_is_measured(name):
    assert of_shipped(shipped(name), name) == pytest.approx(zoo.card(name).measured, abs=0.01)


def test_the_bound_lies_above_the_entropy():
    language, model = LANGUAGES["dates"](), shipped("dates")
    got = masked_bound(model, language.rows("train")[:500])
    assert got.mean > language.entropy - 4 * got.error
    assert got.mean < 1.05 * language.entropy + 4 * got.error
