"""The trajectory fan: what the page decodes and scores, against the package's walk and its metrics."""

import json

import pytest
import torch

from diffusion_lab import grids, planning, zoo
from diffusion_lab.data import driving
from diffusion_lab.denoisers import given
from diffusion_lab.metrics.trajectories import MISS, distances, mode_coverage
from diffusion_lab.samplers import euler
from diffusion_lab.seeds import rng_at
from diffusion_lab.tasks.trajectories import TASKS
from diffusion_lab.widgets.fan import UNITS, packed, road, trajectory_fan, walked
from tests.widgets.node import evaluated

pytestmark = pytest.mark.float32

HALF_UNIT = 0.5 / UNITS


@pytest.fixture(scope="module")
def small():
    """Two scenes, three samples, seven steps."""
    return walked(shown=(5, 3), k=3, steps=7)


def in_the_page(fan, script):
    """`script` sees `frames` of the first scene and all of `given`."""
    frames = torch.cat([fan.start[None], fan.beliefs])[:, 0]
    return evaluated(
        "const F = await import(`${W}/fan.mjs`);"
        f"const frames = F.unpacked(given.packed, given.shape); {script}",
        packed=packed(frames),
        shape={"units": UNITS, "steps": 7, "samples": 3, "points": driving.STEPS},
        truth=fan.truth[0].flatten().tolist(),
        modes=fan.modes[0].flatten(1).tolist(),
        radius=MISS,
    )


def as_tensor(paths):
    return torch.tensor([[list(path.values()) for path in frame] for frame in paths])


def test_beliefs_and_states_are_those_of_the_walk(small):
    flow = TASKS["driving"].untrained()
    zoo.fill(flow, "driving")
    scene = driving.context(small.scene).repeat_interleave(3, 0)
    like = torch.empty(3, driving.STEPS, 2)
    noise = torch.cat([flow.process.noise(like, rng_at("fan", 0, n)) for n in (5, 3)])
    with torch.no_grad():
        walk = list(euler(given(flow, scene), noise, grids.uniform(7)))
    states = torch.stack([driving.positions(step.x)[:3] for step in walk])
    page = in_the_page(
        small,
        "const steps = [...Array(8).keys()];"
        "tell([steps.map((i) => F.statesAt(frames, i)), steps.map((i) => F.beliefsAt(frames, i))]);",
    )
    got, beliefs = (as_tensor(x).unflatten(-1, (driving.STEPS, 2)) for x in page)
    assert (got - states).abs().max() < HALF_UNIT + 1e-4
    want = torch.stack([driving.positions(step.pred.x0)[:3] for step in walk[:-1]] + [states[-1]])
    assert (beliefs - want).abs().max() < HALF_UNIT + 1e-4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_scores_are_the_metrics(small, count):
    page = in_the_page(
        small,
        f"tell([...Array(8).keys()].map((i) => F.scored(F.beliefsAt(frames, i).slice(0, {count}), "
        "given.truth, given.modes, given.radius)));",
    )
    for i, got in enumerate(page):
        x = small.beliefs[min(i, 6), :1, :count]
        want = distances(x, small.truth[:1])
        assert got["minAde"] == pytest.approx(want.min_ade, abs=2 * HALF_UNIT)
        assert got["meanAde"] == pytest.approx(want.mean_ade, abs=2 * HALF_UNIT)
        assert sum(got["found"]) / 4 == pytest.approx(mode_coverage(x, small.modes[:1]))


def test_scores_on_exact_numbers():
    rng = torch.Generator().manual_seed(1)
    paths, truth, modes = (torch.randn(n, 7, 2, generator=rng) for n in (5, 1, 3))
    got = evaluated(
        "const { scored } = await import(`${W}/fan.mjs`);"
        "tell(scored(given.paths, given.truth, given.modes, given.radius));",
        paths=paths.flatten(1).tolist(),
        truth=truth.flatten().tolist(),
        modes=modes.flatten(1).tolist(),
        radius=1.4,
    )
    want = distances(paths[None], truth)
    assert got["minAde"] == pytest.approx(want.min_ade, rel=1e-6)
    assert got["meanAde"] == pytest.approx(want.mean_ade, rel=1e-6)
    assert sum(got["found"]) / 3 == pytest.approx(mode_coverage(paths[None], modes[None], 1.4))
    assert 0 < sum(got["found"]) < 3


def test_edges_of_the_road_are_its_edges(small):
    s = torch.linspace(0, 70, 24).expand(2, -1)
    along, across = driving.along_road(road(small.scene), small.scene)
    torch.testing.assert_close(along, s[:, None].expand_as(along), atol=1e-2, rtol=0)
    middle = driving.branch(s, small.scene.side[:, None])
    for line, want in ((0, -2 + 0 * middle), (1, 2 + 0 * middle), (2, middle - 2), (3, middle + 2)):
        torch.testing.assert_close(across[:, line], want, atol=1e-2, rtol=0)


def test_the_part_is_small_and_tells_the_story_of_the_chapter():
    part, fan = trajectory_fan(), walked()
    assert len(json.dumps(part.data)) <= 100 * 1024
    assert (
        torch.cat([fan.start[None], fan.beliefs]).abs().max() < 32767 / UNITS
    )  # nothing was held at the end
    happened = [one["name"] for one in part.data["scenes"]]
    assert {name.partition("driver ")[2] for name in happened} == {
        "yields",
        "merges",
        "merges and speeds up",
        "brakes",
    }
    modes = [mode_coverage(x, fan.modes) for x in (fan.beliefs[0], fan.beliefs[-1], fan.mean)]
    assert modes[0] < 0.2
    assert modes[1] > 0.85
    assert modes[2] == 0
    assert driving.off_road(fan.mean, fan.scene).all()
    each = [mode_coverage(fan.beliefs[-1, i : i + 1], fan.modes[i : i + 1]) for i in range(5)]
    assert each == [1.0, 1.0, 1.0, 0.75, 1.0]
    assert distances(fan.beliefs[-1], fan.truth).min_ade < 0.5 < 3 < distances(fan.mean, fan.truth).min_ade
    assert torch.equal(fan.truth[0], planning.unseen_scenes(60)[1][2])


def test_what_the_chapter_says_about_the_shipped_scenes():
    fan = walked()
    nearest = [
        (x[:, :, None] - fan.modes[:, None]).norm(dim=-1).mean(-1).argmin(2)
        for x in (fan.beliefs[4], fan.beliefs[-1])
    ]
    assert (nearest[0] != nearest[1]).sum() == 1
    assert 0.5 < (fan.beliefs[4] - fan.beliefs[-1])[..., -1, :].norm(dim=-1).median() < 1.5
    means = [
        [distances(x[i : i + 1], fan.truth[i : i + 1]).mean_ade for x in (fan.beliefs[-1], fan.mean)]
        for i in range(5)
    ]
    assert [sampled > regressed for sampled, regressed in means] == [True, True, True, False, True]
