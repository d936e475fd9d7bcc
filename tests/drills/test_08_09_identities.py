"""Drills on latents, blocks, conditioning and editing: each answer is what the package computes."""

import pytest
import torch

from diffusion_lab import latent
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.drills import load
from diffusion_lab.editing import repaint
from diffusion_lab.models.adapters import LowRank
from diffusion_lab.models.captioned import Maps
from diffusion_lab.models.dit import Block
from diffusion_lab.models.vae import Autoencoder
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import ancestral, final
from diffusion_lab.schedules import VP


def test_latent_savings_is_saved():
    for pixels, small in load("latent_savings").cases():
        assert load("latent_savings").answer(pixels, small) == pytest.approx(latent.saved(pixels, small))


def test_decibels_is_psnr(rng):
    x, y = torch.rand(2, 3, 1, 5, 7, generator=rng)
    assert load("decibels").answer(x, y).item() == pytest.approx(latent.psnr(x, y))


def test_noisy_round_trip_is_the_autoencoder_s_encode_and_decode_around_a_denoiser(rng):
    torch.manual_seed(0)
    codec = Autoencoder(channels=8, multipliers=(1, 2)).requires_grad_(False)
    codec.scale.fill_(0.3)
    x, process = torch.rand(3, 1, 6, 10, generator=rng), Gaussian(VP())
    noise = torch.randn(codec.latent_shape(x), generator=rng)
    c = process.schedule.at(0.4, noise)
    denoise = Denoiser(lambda z, t, cond: z.sin(), process, "eps")
    want = codec.decode(denoise(process.diffuse(codec.encode(x), 0.4, noise), torch.full((3,), 0.4)).x0)
    got = load("noisy_round_trip").answer(
        lambda x: codec.encode(x) / codec.scale,
        lambda z: codec.decode(z * codec.scale),
        torch.sin,
        x,
        noise,
        codec.scale,
        c.a,
        c.sigma,
    )
    torch.testing.assert_close(got, want)


def test_adaln_zero_is_half_a_block_of_dit(rng):
    torch.manual_seed(0)
    block = Block(12, 3).requires_grad_(False)
    h, c = torch.randn(2, 5, 12, generator=rng), torch.randn(2, 12, generator=rng)
    parts = block.adaln(c)[:, None].chunk(6, -1)
    half = load("adaln_zero").answer(h, block.attend, *parts[:3])
    whole = load("adaln_zero").answer(half, lambda y: block.project(gelu(block.lift(y))), *parts[3:])
    torch.testing.assert_close(block(h, c), whole)


def gelu(x):
    return torch.nn.functional.gelu(x, approximate="tanh")


def test_cross_attention_is_the_maps_times_the_values():
    for q, k, v in load("cross_attention").cases():
        want = Maps()(q[:, None], k[:, None])[:, 0] @ v
        torch.testing.assert_close(load("cross_attention").answer(q, k, v), want)


def test_lora_weight_is_low_rank():
    for w, a, b, alpha in load("lora_weight").cases():
        low = LowRank(w, len(a), alpha)
        low.a.data, low.b.data = a, b
        torch.testing.assert_close(load("lora_weight").answer(w, a, b, alpha), low(w))


def test_keep_known_is_one_step_of_repaint(rng):
    process, x = Gaussian(VP()), torch.randn(3, 1, 5, 7, generator=rng)
    denoise = Denoiser(lambda z, t, cond: z.sin(), process, "eps")
    known, mask = torch.randn_like(x), (torch.rand(3, 1, 5, 7, generator=rng) < 0.5).to(x)
    same, t, s = torch.Generator().manual_seed(1), 0.7, 0.4
    made = final(ancestral(denoise, x, (t, s), same))
    noise, c = process.noise(x, same), process.schedule.at(s, x)
    got = load("keep_known").answer(made, known, mask, noise, c.a, c.sigma)
    want = final(repaint(denoise, x, (t, s), known, mask, torch.Generator().manual_seed(1), resample=1))
    torch.testing.assert_close(got, want)
