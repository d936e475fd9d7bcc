"""Image metrics: closed forms of Gaussians, known biases, and what each is blind to."""

import math

import pytest
import torch
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from diffusion_lab.metrics.features import clip_score, extracted, inception
from diffusion_lab.metrics.images import density_coverage, frechet, inception_score, kid, precision_recall
from diffusion_lab.metrics.memory import copies, nearer_to_training, nearest
from diffusion_lab.oracles import GaussianMixture


def sample(mean, root, n, rng):
    x = torch.randn(n, len(mean), generator=rng)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T  # exact moments
    return mean + x @ root.T


def test_frechet_distance_of_gaussians_with_known_moments(rng):
    # Diagonal covariances: |mean gap|^2 + sum (s_r - s_f)^2, exactly, because the samples are whitened first.
    s_r, s_f = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([1.5, 0.5, 0.5])
    real = sample(torch.zeros(3), torch.diag(s_r), 101, rng)
    fake = sample(torch.tensor([1.0, -2.0, 0.0]), torch.diag(s_f), 53, rng)
    assert frechet(real, fake) == pytest.approx(5 + 0.25 + 2.25)


def test_frechet_and_kernel_distances_equal_torchmetrics(rng):
    real, fake = torch.randn(211, 17, generator=rng), 1 + 1.3 * torch.randn(157, 17, generator=rng).abs()
    theirs = _compute_fid(real.mean(0), real.T.cov(), fake.mean(0), fake.T.cov())
    assert frechet(real, fake) == pytest.approx(theirs.item(), rel=1e-6)
    assert kid(real, fake[:157]) == pytest.approx(
        kid(fake, real), rel=1e-12
    )  # symmetric, whatever the counts
    square = real[:157]
    assert kid(square, fake) == pytest.approx(poly_mmd(square, fake).item(), rel=1e-9)


def test_more_samples_less_bias_for_frechet_and_none_for_kid():
    # Same law twice: the Frechet distance falls like 1 / n, KID stays within 4 standard errors of 0.
    d, rng = 32, torch.Generator().manual_seed(0)
    reference = torch.randn(20_000, d, generator=rng)
    fd, kd = {}, {}
    for n in (100, 400):
        draws = [torch.randn(n, d, generator=rng) for _ in range(40)]
        fd[n] = sum(frechet(reference, x) for x in draws) / 40
        values = torch.tensor([kid(reference[:2000], x) for x in draws])
        kd[n] = values.mean() / (values.std() / math.sqrt(40))
    assert fd[100] / fd[400] == pytest.approx(4, rel=0.25)
    assert abs(kd[100]) < 4
    assert abs(kd[400]) < 4


def test_a_memoriser_has_distance_zero(rng):
    real = torch.randn(101, 5, generator=rng)
    assert frechet(real, real.flip(0)) == pytest.approx(0, abs=1e-9)
    assert precision_recall(real, real) == (1, 1)


def test_dropped_modes_that_the_frechet_distance_does_not_see(rng):
    # A ring of 8 and its 4 alternate modes have the same mean and covariance.
    ring = GaussianMixture.ring(8, radius=2.0, std=0.1)
    half = GaussianMixture.isotropic(ring.means[::2], 0.1)
    real, fake = ring.sample(2003, rng)[0], half.sample(2003, rng)[0]
    again = ring.sample(2003, rng)[0]
    assert frechet(real, fake) < 0.05
    assert precision_recall(real, fake).recall == pytest.approx(0.5, abs=0.05)
    assert precision_recall(real, again).recall > 0.95
    assert precision_recall(real, fake).precision > 0.95


def test_precision_and_recall_by_hand():
    # Real points 0..4 on a line; one sample among them, two far away. k = 1: every real ball has radius 1.
    real = torch.arange(5.0)[:, None]
    fake = torch.tensor([[2.2], [50.0], [51.0]])
    got = precision_recall(real, fake, k=1)
    assert got.precision == pytest.approx(1 / 3)
    # The sample at 2.2 reaches to 50, so every real point lies inside its ball.
    assert got.recall == 1


@pytest.mark.parametrize(
    ("real", "fake", "sentence"),
    [
        (torch.zeros(5, 3), torch.zeros(5, 2), r"\(5, 3\) and \(5, 2\)"),
        (torch.zeros(1, 3), torch.zeros(5, 3), "at least 2"),
        (torch.full((5, 3), math.nan), torch.zeros(5, 3), "the real features hold values"),
    ],
)
@pytest.mark.parametrize("metric", [frechet, kid, precision_recall])
def test_sets_that_cannot_be_compared_are_refused(metric, real, fake, sentence):
    with pytest.raises(ValueError, match=sentence):
        metric.__wrapped__(real, fake) if real.shape[1] != fake.shape[1] else metric(real, fake)


def test_too_few_samples_for_the_neighbours():
    with pytest.raises(ValueError, match="3 neighbours need more than 3"):
        precision_recall(torch.randn(3, 2), torch.randn(9, 2))


def test_one_feature_gives_the_distance_of_two_deviations(rng):
    real, fake = torch.randn(101, 1, generator=rng), 3 + 2 * torch.randn(53, 1, generator=rng)
    expected = (real.mean() - fake.mean()) ** 2 + (real.std() - fake.std()) ** 2
    assert frechet(real, fake) == pytest.approx(expected.item())


def test_density_and_coverage_of_a_law_with_itself_and_of_one_point(rng):
    real = torch.randn(401, 3, generator=rng)
    density, coverage = density_coverage(real, torch.randn(401, 3, generator=rng))
    assert density == pytest.approx(1.0, abs=0.1)  # E = 1 for the same law
    assert coverage == pytest.approx(
        1 - 2**-5, abs=0.04
    )  # 1 - (1/2)^k for equal counts (Naeem et al., eq. 9)
    stuck = real[:1] + torch.zeros(401, 3)
    assert density_coverage(real, stuck)[1] < 0.1


def test_coverage_does_not_reward_an_outlier_as_recall_does(rng):
    # One far real point has a huge ball: for precision all that lies around it is inside.
    real = torch.cat([torch.randn(101, 2, generator=rng), torch.tensor([[40.0, 0.0]])])
    fake = torch.randn(101, 2, generator=rng) + torch.tensor([20.0, 0.0])
    assert precision_recall(real, fake).precision > 0.9
    assert density_coverage(real, fake)[1] < 0.05


def test_the_inception_score_lies_between_one_and_the_classes():
    sure, unsure = torch.eye(7), torch.full((11, 7), 1 / 7)
    assert inception_score(sure) == pytest.approx(7.0)
    assert inception_score(unsure) == pytest.approx(1.0)
    assert inception_score(sure[:1].repeat(5, 1)) == pytest.approx(1.0)  # one class only
    with pytest.raises(ValueError, match="sums to 1"):
        inception_score(sure + 1)


def test_the_inception_score_cannot_see_mode_collapse_within_a_class():
    # Seven images, one per class, repeated: perfect.
    assert inception_score(torch.eye(7).repeat(100, 1)) == pytest.approx(7.0)


def test_a_memoriser_is_found_by_its_neighbours_and_praised_by_the_frechet_distance(rng):
    train, test = torch.randn(2, 211, 5, generator=rng)
    copied = train + 1e-3 * torch.randn(211, 5, generator=rng)
    assert frechet(train, copied) < 1e-4 < frechet(train, test)
    assert nearer_to_training(copied, train, test) == 1.0
    assert nearer_to_training(torch.randn(211, 5, generator=rng), train, test) == pytest.approx(0.5, abs=0.14)
    assert copies(copied, train).mean() == 1.0
    assert copies(test, train).mean() < 0.05
    assert nearest(train, train).max() < 1e-6
    with pytest.raises(ValueError, match="same number"):
        nearer_to_training(copied, train, test[:3])


def test_the_ring_with_every_second_mode_dropped_fools_the_frechet_distance_and_not_recall(rng):
    real, _ = GaussianMixture.ring(8).sample(2003, rng)
    half, _ = GaussianMixture.ring(4).sample(2003, rng)
    assert frechet(real, half) < 0.02
    assert precision_recall(real, half).recall < 0.6


def test_features_come_in_batches_and_clip_score_is_a_cosine(rng):
    images = torch.randn(13, 1, 3, 3, generator=rng)
    net = torch.nn.Conv2d(1, 5, 3)
    torch.testing.assert_close(extracted(net, images, 4), net(images).flatten(1).detach())
    a, b = torch.randn(2, 7, 11, generator=rng)
    assert clip_score(a, a) == pytest.approx(100)
    assert clip_score(a, -a) == 0
    assert 0 <= clip_score(a, b) <= 100
    with pytest.raises(ValueError, match="pairs"):
        clip_score(a, b[:3])


def test_without_inceptions_weights_a_sentence_says_what_to_do(monkeypatch):
    from torchmetrics.image import fid

    def absent(*args):
        raise ModuleNotFoundError("no weights here")

    monkeypatch.setattr(fid, "NoTrainInceptionV3", absent)
    with pytest.raises(ValueError, match="Offline, use"):
        inception()
