"""Driving scenes and the point mass: geometry that inverts, laws that keep their promises."""

import math

import pytest
import torch

from diffusion_lab.data import driving, pointmass
from diffusion_lab.data.driving import MANOEUVRES, PROBABILITIES, Scene


def scene_with(curvature=0.008, offset=0.25, n=5):
    return Scene(*[torch.full((n,), v) for v in (11.0, curvature, 1.0, 20.0, 5.0, offset)])


@pytest.mark.parametrize("curvature", [0.01, -0.01, 0.0])
def test_road_coordinates_and_back(curvature, rng):
    scene = scene_with(curvature)
    s, d = 60 * torch.rand(5, 7, generator=rng), 20 * torch.rand(5, 7, generator=rng) - 10
    x = driving.on_road(s, d, scene) - driving.own_place(scene)
    torch.testing.assert_close(driving.along_road(x, scene), (s, d), rtol=1e-6, atol=1e-6)


def test_the_road_is_a_circle_of_radius_one_over_curvature(rng):
    scene = scene_with(0.01)
    s = 300 * torch.rand(5, 7, generator=rng)
    x = driving.on_road(s, torch.full_like(s, 3.0), scene)
    centre = torch.tensor([0.0, 100.0])
    torch.testing.assert_close((x - centre).norm(dim=-1), torch.full_like(s, 97.0))
    along = driving.on_road(torch.tensor([[100 * math.pi / 2]] * 5), torch.zeros(5, 1), scene)
    torch.testing.assert_close(along, torch.tensor([[[100.0, 100.0]]] * 5))


def test_a_network_sees_every_number_between_minus_one_and_one(rng):
    seen = driving.context(driving.random_scenes(1009, rng))
    assert seen.abs().max() <= 1
    torch.testing.assert_close(seen.amax(0), torch.ones(6), rtol=0, atol=0.05)
    torch.testing.assert_close(seen.amin(0), -torch.ones(6), rtol=0, atol=0.05)
    assert set(seen[:, 2].tolist()) == {-1.0, 1.0}


def test_velocities_and_positions_are_inverse_and_about_standard(rng):
    x, _ = driving.futures(driving.random_scenes(2003, rng), rng)
    v = driving.velocities(x)
    torch.testing.assert_close(driving.positions(v), x)
    assert v.mean((0, 1)).abs().max() < 0.1
    assert (v.std((0, 1)) - 1).abs().max() < 0.25


def test_every_manoeuvre_is_what_its_name_says(rng):
    scene = driving.random_scenes(211, rng)
    x = driving.prototypes(scene)
    s, d = driving.along_road(x, scene)
    speed = torch.diff(s, dim=-1)[..., -1] / driving.DT
    across = (d[..., -1] - scene.offset[:, None] * math.exp(-driving.SECONDS)) * scene.side[:, None]
    follow, merge, faster, brake = range(len(MANOEUVRES))
    ahead = (scene.gap + scene.other_speed * driving.SECONDS)[:, None]
    assert (speed[:, brake] < 0.5).all()
    assert ((speed[:, follow] - scene.other_speed).abs() < 0.3).all()
    assert (s[:, follow, -1:] < ahead).all()
    torch.testing.assert_close(speed[:, merge], scene.speed)
    assert (speed[:, faster] > 1.25 * scene.speed).all()
    assert (across[:, [follow, brake]].abs() < 0.01).all()
    assert (across[:, [merge, faster]] > 0.95 * driving.ISLAND).all()


def test_true_futures_stay_on_the_road_and_hit_nobody_but_their_mean_does(rng):
    scene = driving.random_scenes(1009, rng)
    x, which = driving.futures(scene, rng)
    assert not driving.off_road(x, scene).any()
    assert not driving.collides(x, scene).any()
    mean = (driving.prototypes(scene) * torch.tensor(PROBABILITIES).view(1, -1, 1, 1)).sum(1)
    assert driving.off_road(mean, scene).double().mean() > 0.95
    # Shares of 1,009 draws: standard error at most 0.0145, four of them.
    shares = torch.bincount(which, minlength=4) / len(which)
    assert (shares - torch.tensor(PROBABILITIES)).abs().max() < 0.06


def test_off_road_and_collisions_of_many_forecasts_are_those_of_each(rng):
    scene = driving.random_scenes(7, rng)
    x = torch.stack([driving.futures(scene, rng)[0] for _ in range(3)], 1) + 3 * torch.randn(7, 3, 1, 2)
    for judge in (driving.off_road, driving.collides):
        together = judge(x, scene)
        assert together.shape == (7, 3)
        for k in range(3):
            assert torch.equal(together[:, k], judge(x[:, k], scene))
    onto = driving.other_car(scene)
    assert driving.collides(onto, scene).all()


def test_experts_reach_the_goal_on_either_side_and_never_touch_the_disc(rng):
    states, forces = pointmass.demonstrations(503, rng)
    places = torch.stack([state.place for state in states], 1)
    assert not pointmass.hits(places, states[0].disc).any()
    assert ((places[:, -1] - states[0].goal).norm(dim=1) < pointmass.REACHED).all()
    left = (places[:, 20, 1] > states[0].disc[:, 1]).double().mean()
    assert left == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(503))
    assert (forces.std() / pointmass.FORCE_STD).item() == pytest.approx(1, abs=0.2)


def test_forces_of_a_window_lead_on_from_what_is_seen(rng):
    forces, seen = pointmass.windows(101, rng)
    assert forces.shape == (101, pointmass.HORIZON, 2)
    assert seen.shape == (101, 6)
    state = pointmass.random_states(101, rng)
    moved = pointmass.advance(state, forces[:, 0] * pointmass.FORCE_STD)
    torch.testing.assert_close(moved.place, state.place + moved.velocity)
    free = state._replace(disc=state.disc + 10)
    assert pointmass.blocked(state).any()
    assert not pointmass.blocked(free).any()


@pytest.mark.parametrize("law", [driving.drives, pointmass.windows])
def test_the_same_seed_gives_the_same_examples(law):
    first, again, other = (law(5, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
