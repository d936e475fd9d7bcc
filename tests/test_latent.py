"""Codecs, bottlenecks and the autoencoder's loss; diffusion on the other side of a rotation is the same."""

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from diffusion_lab import latent
from diffusion_lab.data import load_digits
from diffusion_lab.denoisers import Rule
from diffusion_lab.grids import uniform
from diffusion_lab.models.vae import KL, VQ, Autoencoder
from diffusion_lab.oracles import GaussianMixture
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import ddim, final
from diffusion_lab.schedules import VP
from diffusion_lab.targets import TARGETS, Prediction
from diffusion_lab.tasks import latent as tasks
from diffusion_lab.training import Recipe, Trainer
from diffusion_lab.widgets import reverse


class Rotation:
    """A codec that loses nothing."""

    def __init__(self, angle: float):
        a = torch.tensor(angle)
        self.matrix = torch.stack([torch.stack([a.cos(), -a.sin()]), torch.stack([a.sin(), a.cos()])])

    def encode(self, x):
        return x @ self.matrix.T

    def decode(self, z):
        return z @ self.matrix


def small(**settings):
    torch.manual_seed(0)
    return Autoencoder(channels=8, multipliers=(1, 2), **settings)


def test_stable_diffusion_s_latent_saves_48_64_and_4096_times():
    assert latent.saved((3, 512, 512), (4, 64, 64)) == (48, 64, 4096)
    assert latent.saved((1, 32, 32), (4, 8, 8)) == (4, 16, 256)


def test_sampling_behind_a_rotation_and_decoding_is_sampling(rng):
    process, codec = Gaussian(VP()), Rotation(0.7)
    exact = GaussianMixture.ring(5).denoiser(process)

    def rotated(z, t, cond):
        pred = exact(codec.decode(z), t)
        return Prediction(pred.c, z, codec.encode(pred.eps), TARGETS["eps"])

    x = torch.randn(13, 2, generator=rng)
    plain = list(ddim(exact, x, uniform(11)))
    seen = list(latent.decoded(ddim(Rule(process, rotated), codec.encode(x), uniform(11)), codec))
    for step, other in zip(plain, seen, strict=True):
        assert step.t == other.t
        torch.testing.assert_close(step.x, other.x)
        if step.pred is not None:
            torch.testing.assert_close(step.pred.x0, other.pred.x0)
    assert seen[-1].pred is None


def test_a_rotation_is_a_codec():
    assert isinstance(Rotation(0.3), latent.Codec)
    assert isinstance(small(), latent.Codec)


def test_calibrated_latents_have_unit_variance_and_decode_as_before(rng):
    model, x = small(), torch.randn(7, 1, 6, 10, generator=rng)
    before = model.decode(model.encode(x))
    factor = latent.calibrate(model, x)
    assert factor != 1
    assert float(latent.encoded(x, model).std()) == pytest.approx(1)
    torch.testing.assert_close(model.decode(model.encode(x)), before)
    assert latent.calibrate(model, x) == pytest.approx(factor)  # measured afresh, not compounded
    assert "scale" in model.state_dict()


def test_latents_that_are_all_alike_cannot_be_calibrated():
    model = small()
    for p in model.parameters():
        torch.nn.init.zeros_(p)
    with pytest.raises(ValueError, match="not trained"):
        latent.calibrate(model, torch.ones(2, 1, 4, 4))


def test_a_data_set_is_encoded_the_same_in_any_batches(rng):
    model, x = small(), torch.randn(7, 1, 4, 4, generator=rng)
    torch.testing.assert_close(latent.encoded(x, model, batch=3), model.encode(x))


def test_the_kl_price_is_the_divergence_from_a_standard_normal(rng):
    h, noise = torch.randn(3, 10, 2, 7, generator=rng), torch.randn(3, 5, 2, 7, generator=rng)
    mean, std = h[:, :5], (h[:, 5:] / 2).exp()
    z, price = KL(5, weight=0.3)(h, noise)
    torch.testing.assert_close(z, mean + std * noise)
    expected = 0.3 * kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum((1, 2, 3))
    torch.testing.assert_close(price, expected)
    assert KL(5).mode(h).equal(mean)


def test_vector_quantisation_takes_the_nearest_code(rng):
    torch.manual_seed(0)
    vq, h = VQ(3, codes=11), torch.randn(2, 3, 5, 7, generator=rng)
    vq.requires_grad_(False)
    z = vq(h, h).z
    for b, i, j in ((0, 0, 0), (1, 4, 2), (0, 3, 6)):
        nearest = min(vq.codes, key=lambda code: float((code - h[b, :, i, j]).square().sum()))
        torch.testing.assert_close(z[b, :, i, j], nearest)
    torch.testing.assert_close(vq.mode(h), z)


def test_gradients_pass_straight_through_and_the_price_pulls_codes_and_latents_together(rng):
    torch.manual_seed(0)
    vq, h = VQ(3, codes=11, weight=0.25), torch.randn(2, 3, 5, 7, generator=rng, requires_grad=True)
    out = torch.randn(2, 3, 5, 7, generator=rng)
    z, price = vq(h, h.detach())
    assert torch.autograd.grad((z * out).sum(), h, retain_graph=True)[0].equal(out)
    gap = (h - vq.mode(h)).detach()
    to_h, to_codes = torch.autograd.grad(price.sum(), [h, vq.codes])
    torch.testing.assert_close(to_h, 2 * 0.25 * gap)
    torch.testing.assert_close(to_codes.sum(0), -2 * gap.sum((0, 2, 3)))


def test_edges_ignore_a_change_of_brightness_and_feel_a_shift(rng):
    x = torch.randn(3, 1, 16, 16, generator=rng)
    torch.testing.assert_close(latent.edges(x + 0.4, x), torch.zeros(3))
    bar = torch.zeros(1, 1, 16, 16).index_fill(3, torch.tensor([5, 6]), 1.0)
    near, far = (latent.edges(bar, bar.roll(shift, 3)) for shift in (1, 4))
    blurred = F.avg_pool2d(bar, 5, 1, 2)
    assert 0 < near < far
    assert latent.edges(bar, blurred) > 0


def test_psnr_of_an_error_of_a_tenth_of_the_range_is_20_decibels():
    x = torch.zeros(2, 1, 3, 5)
    assert latent.psnr(x, x + 0.2) == pytest.approx(20)
    assert latent.psnr(x, x) == float("inf")


def test_the_autoencoder_trains_in_the_ordinary_trainer(rng):
    x = torch.rand(5, 1, 8, 8, generator=rng).round() * 2 - 1
    for bottleneck in (KL, VQ):
        objective = latent.Reconstruction(small(bottleneck=bottleneck))
        assert objective(x, None, rng).shape == (5,)
        trainer = Trainer(objective, lambda step: (x, None), Recipe(steps=40, lr=1e-2, warmup=0))
        losses = [float(record.loss) for record in trainer.fit()]
        assert min(losses[-5:]) < 0.8 * losses[0]


def test_shapes_that_do_not_fit_are_refused_in_a_sentence():
    model = small()
    with pytest.raises(ValueError, match="multiples of 2"):
        model.encode(torch.zeros(1, 1, 5, 4))
    with pytest.raises(ValueError, match="takes \\(batch, 1"):
        model.encode(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="takes \\(batch, 4"):
        model.decode(torch.zeros(1, 3, 4, 4))


@pytest.mark.float32
def test_the_shipped_codec_loses_little_of_digits_it_never_saw():
    # The card says 39 dB. 35 would still be an rms error of 1.8 % of the range.
    codec = tasks.codec()
    x, _ = load_digits(32, "test")
    z = latent.encoded(x[:200], codec)
    assert z.shape == (200, 4, 8, 8)
    assert float(z.std()) == pytest.approx(1, abs=0.05)
    assert latent.psnr(x[:200], codec.decode(z).clamp(-1, 1)) > 35


@pytest.mark.float32
def test_noise_is_no_latent_of_a_digit():
    # Weight 1e-3 makes a regularised autoencoder, not a generative one: the prior's decodings are no digits.
    codec = tasks.codec()
    x, _ = load_digits(32, "test")
    made = codec.decode(torch.randn(100, 4, 8, 8, generator=torch.Generator().manual_seed(5)))
    rough = [latent.edges(pictures, torch.zeros_like(pictures)).mean() for pictures in (x[:100], made)]
    assert rough[1] > 1.3 * rough[0]
    # Digits come back at 39 dB: what noise decodes to is nothing that the encoder knows.
    assert latent.psnr(made, codec.decode(codec.encode(made))) < 25


@pytest.mark.float32
def test_latent_training_sees_calibrated_latents():
    from diffusion_lab.data import Share

    batches = tasks.latents(Share(64), 0, torch.device("cpu"))
    z, labels = batches(0)
    assert z.shape == (64, 4, 8, 8)
    assert labels.shape == (64,)
    assert float(z.std()) == pytest.approx(1, abs=0.1)


@pytest.mark.float32
def test_latent_and_pixel_tasks_take_their_first_steps():
    for name in ("digits32-latent", "digits32-latent-dit", "digits32-vq"):
        trainer = tasks.TASKS[name].trainer()
        records = trainer.fit()
        losses = [next(records).loss for _ in range(2)]
        assert all(loss.isfinite() for loss in losses)


def test_final_of_decoded_steps_is_the_decoded_final(rng):
    process, codec = Gaussian(VP()), Rotation(-0.4)
    exact, z = GaussianMixture.ring(5).denoiser(process), torch.randn(7, 2, generator=rng)
    direct = codec.decode(final(ddim(exact, z, uniform(5))))
    assert final(latent.decoded(ddim(exact, z, uniform(5)), codec)).equal(direct)


@pytest.mark.float32
def test_a_widget_shows_decoded_beliefs_beside_decoded_steps(rng):
    process, codec = Gaussian(VP()), Rotation(0.7)
    steps = ddim(GaussianMixture.ring(5).denoiser(process), torch.randn(7, 2, generator=rng), uniform(3))
    track = reverse(process, latent.decoded(steps, codec))
    assert track.beliefs.shape == track.frames.shape == (4, 7, 2)
    assert not track.beliefs[0].equal(track.frames[0])
    assert track.beliefs[-1].equal(track.frames[-1])
