"""Training: it learns, it resumes to the bit, and it refuses what would spoil a run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from diffusion_lab import checkpoints, grids, runs, samplers
from diffusion_lab.checkpoints import CheckpointError
from diffusion_lab.denoisers import Denoiser, given
from diffusion_lab.grids import stratified_law
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import Flow
from diffusion_lab.seeds import rng_at
from diffusion_lab.training import Objective, Recipe, Trainer, dropped

pytestmark = pytest.mark.float32


class TwoLayers(nn.Module):
    """A small network of x, t and one of three labels."""

    def __init__(self, width=32):
        super().__init__()
        self.label = nn.Embedding(3, width)
        self.inner, self.outer = nn.Linear(3, width), nn.Linear(width, 2)

    def forward(self, x, t, cond=None):
        h = self.inner(torch.cat([x, t[:, None]], 1))
        return self.outer(torch.tanh(h if cond is None else h + self.label(cond)))


def two_modes():
    return GaussianMixture.isotropic(torch.tensor([[2.0, 0.0], [-2.0, 0.0]]), 0.3)


def batches(step, law=None):
    return (law or two_modes()).sample(64, torch.Generator().manual_seed(step))


def trainer(steps=20, width=32, **settings):
    torch.manual_seed(0)
    denoiser = Denoiser(TwoLayers(width), Gaussian(Flow()), "velocity")
    objective = Objective(denoiser, stratified_law(), drop=0.2, null=2)
    return Trainer(objective, batches, Recipe(steps, warmup=5, **settings))


def state(t):
    return [p.clone() for m in (t.model, t.averaged) for p in m.state_dict().values()]


def same(one, other):
    return all(torch.equal(p, q) for p, q in zip(state(one), state(other), strict=True))


def test_it_learns_and_its_average_samples_the_law():
    t = trainer(steps=1500, lr=1e-2)
    losses = [float(record.loss) for record in t.fit()]
    assert sum(losses[-50:]) < 0.7 * sum(losses[:50])
    with torch.no_grad():
        noise = torch.randn(501, 2, generator=torch.Generator().manual_seed(0))
        x = samplers.final(samplers.euler(given(t.averaged, torch.tensor([2])), noise, grids.uniform(30)))
    assert x[:, 0].abs().mean() == pytest.approx(2, abs=0.25)
    assert (x[:, 0] > 0).float().mean() == pytest.approx(0.5, abs=0.12)


def test_a_resumed_run_is_the_same_run_to_the_bit(tmp_path):
    whole = trainer(steps=23)
    losses = [record.loss for record in whole.fit()]
    first = trainer(steps=23)
    part = [record.loss for _, record in zip(range(9), first.fit())]
    checkpoints.save(first, tmp_path / "c.safetensors")
    second = trainer(steps=23)
    checkpoints.load(second, tmp_path / "c.safetensors")
    part += [record.loss for record in second.fit()]
    assert torch.equal(torch.stack(losses), torch.stack(part))
    assert same(whole, second)


def test_accumulated_batches_give_the_gradient_of_their_mean():
    t = trainer(accumulate=3)
    t._accumulated()
    got = [p.grad.clone() for p in t.model.parameters()]
    one = trainer()
    loss = sum(one.objective(*batches(i), rng_at("noise 0", 0, i)).mean() for i in range(3)) / 3
    loss.backward()
    for g, p in zip(got, one.model.parameters()):
        torch.testing.assert_close(g, p.grad)


def test_the_learning_rate_warms_up_and_falls_on_a_cosine():
    recipe = Recipe(steps=105, lr=2.0, warmup=5, lr_end=0.1)
    assert [recipe.lr_at(i) for i in (0, 4)] == pytest.approx([0.4, 2.0])
    assert recipe.lr_at(5) == pytest.approx(2.0)
    assert recipe.lr_at(55) == pytest.approx(1.1)
    assert recipe.lr_at(105) == pytest.approx(0.2)


def test_conditions_are_dropped_at_the_asked_rate():
    cond = dropped(torch.ones(40_009, dtype=torch.long), 0.15, 7, torch.Generator().manual_seed(0))
    # Standard error sqrt(.15 .85 / n) = 0.0018; four of them.
    assert (cond == 7).float().mean() == pytest.approx(0.15, abs=0.0072)
    assert dropped(None, 0.5, 7, torch.Generator()) is None


def test_the_average_lags_behind_and_then_follows():
    t = trainer(steps=300, ema=0.9, lr=1e-2)
    list(t.fit())
    gap = max((p - q).abs().max() for p, q in zip(t.model.parameters(), t.averaged.parameters()))
    assert 0 < gap < 0.05


def test_a_loss_that_is_not_finite_stops_the_run_before_it_is_saved(tmp_path):
    t = trainer(steps=400)
    good = t.batches
    t.batches = lambda i: (good(i)[0] * (float("nan") if i >= 30 else 1.0), good(i)[1])
    path = tmp_path / "c.safetensors"
    with pytest.raises(ValueError, match=r"the loss is nan.*Lower the learning rate"):
        list(runs.saved(t.fit(), t, path, every=25))
    fresh = trainer(steps=400)
    checkpoints.load(fresh, path)
    assert fresh.step == 25
    assert all(p.isfinite().all() for p in fresh.model.parameters())


@pytest.mark.parametrize(
    "bad", [{"steps": 0}, {"steps": 5, "lr": 0.0}, {"steps": 5, "ema": 1.0}, {"steps": 5, "accumulate": 0}]
)
def test_recipes_that_cannot_be_followed_are_refused(bad):
    with pytest.raises(ValueError, match="at least 1"):
        Recipe(**bad)


@pytest.fixture
def saved_run(tmp_path):
    t = trainer()
    next(t.fit())
    checkpoints.save(t, tmp_path / "c.safetensors")
    return tmp_path / "c.safetensors"


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_truncated_checkpoint_is_refused(saved_run, cut):
    saved_run.write_bytes(saved_run.read_bytes()[:-cut])
    with pytest.raises(CheckpointError, match="is damaged"):
        checkpoints.load(trainer(), saved_run)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.999])
def test_one_flipped_bit_is_found(saved_run, place):
    data = bytearray(saved_run.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    data[start + int(place * (len(data) - start))] ^= 1
    saved_run.write_bytes(data)
    with pytest.raises(CheckpointError, match="do not match their checksum"):
        checkpoints.load(trainer(), saved_run)


def test_a_checkpoint_of_another_architecture_names_the_difference(saved_run):
    t = trainer(width=48)
    before = state(t)
    with pytest.raises(CheckpointError, match=r"another architecture: .* is \(32,\) in the file and \(48,\)"):
        checkpoints.load(t, saved_run)
    assert all(torch.equal(p, q) for p, q in zip(before, state(t)))
    assert t.step == 0


def test_a_checkpoint_of_another_recipe_names_the_setting(saved_run):
    with pytest.raises(CheckpointError, match=r"lr was 0\.001 and is now 0\.5"):
        checkpoints.load(trainer(lr=0.5), saved_run)


def test_foreign_files_are_refused(tmp_path, saved_run):
    missing = tmp_path / "none.safetensors"
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        checkpoints.load(trainer(), missing)
    tensors = load_file(saved_run)
    about = {"format": "something else", "digest": checkpoints.digest(tensors)}
    save_file(tensors, saved_run, about)
    with pytest.raises(CheckpointError, match="'something else': this version reads"):
        checkpoints.load(trainer(), saved_run)


def test_a_full_disk_is_a_sentence_and_leaves_the_old_checkpoint(saved_run, monkeypatch):
    before = saved_run.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(CheckpointError, match="free some disk space; an older one there is untouched"):
        checkpoints.save(trainer(), saved_run)
    assert saved_run.read_bytes() == before
    assert os.listdir(saved_run.parent) == [saved_run.name]


def test_leftovers_of_a_killed_save_are_swept(saved_run):
    leftover = saved_run.with_name(f".{saved_run.name}.123.part")
    leftover.write_bytes(b"half")
    checkpoints.save(trainer(), saved_run)
    assert not leftover.exists()


KILLED = """
import sys, torch
sys.path.insert(0, {root!r})
from pathlib import Path
from diffusion_lab import checkpoints, runs
from tests.test_training import trainer
path = Path(sys.argv[1])
t = trainer(steps=400)
if path.exists():
    checkpoints.load(t, path)
for record in runs.saved(t.fit(), t, path, every=7):
    print(record.step, flush=True)
"""


@pytest.mark.slow
def test_ten_kills_later_the_run_is_bit_identical(tmp_path, rng):
    script = tmp_path / "run.py"
    script.write_text(KILLED.format(root=str(Path(__file__).parent.parent)))
    path = tmp_path / "c.safetensors"
    goal = 0
    for _ in range(10):
        goal = min(goal + 35, 390)
        with subprocess.Popen([sys.executable, script, path], stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                if int(line) >= goal:
                    time.sleep(0.02 * torch.rand((), generator=rng).item())
                    break
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
    subprocess.run([sys.executable, script, path], check=True, stdout=subprocess.DEVNULL)
    killed, whole = trainer(steps=400), trainer(steps=400)
    checkpoints.load(killed, path)
    list(whole.fit())
    assert killed.step == 400
    assert same(killed, whole)


def test_records_pass_through_the_bar_and_the_log(tmp_path, capsys):
    t = trainer(steps=21)
    records = list(runs.logged(runs.shown(t.fit(), 21, every=1), tmp_path / "log", every=5))
    assert [r.step for r in records] == list(range(1, 22))
    shown = capsys.readouterr().err
    assert "21/21" in shown
    assert "loss=" in shown
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(tmp_path / "log"))
    log.Reload()
    assert set(log.Tags()["scalars"]) == {"loss", "grad_norm", "lr", "steps_per_s"}
    assert [e.step for e in log.Scalars("loss")] == [5, 10, 15, 20]
    assert log.Scalars("loss")[0].value == pytest.approx(float(records[4].loss))


def test_a_recipe_is_plain_data():
    assert json.loads(checkpoints.recipe_of(trainer()))["steps"] == 20
