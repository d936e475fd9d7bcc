"""The arithmetic of book/production.md, counted on running code."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from diffusion_lab import grids, guidance
from diffusion_lab.denoisers import Denoiser
from diffusion_lab.processes import Gaussian
from diffusion_lab.samplers import dpmpp_2m, heun
from diffusion_lab.schedules import VP
from diffusion_lab.steps import final
from diffusion_lab.widgets.serving import PRESETS


class Counted(nn.Module):
    """A network that counts its passes."""

    def __init__(self):
        super().__init__()
        self.passes = 0

    def forward(self, x, t, cond=None):
        self.passes += 1
        return 0.1 * x


def passes(sampler, ts, scale):
    net = Counted()
    model = guidance.cfg(Denoiser(net, Gaussian(VP())), torch.ones(3), torch.zeros(3), scale)
    final(sampler(model, torch.ones(3, 2), ts))
    return net.passes


def test_eq_production_latency():
    ts = grids.uniform(25, 0.99)
    assert passes(dpmpp_2m, ts, 4.0) == 50
    assert passes(dpmpp_2m, ts, 1.0) == 25
    on = sum(0.2 < t <= 0.6 for t in ts[:-1].tolist())
    assert passes(dpmpp_2m, ts, guidance.interval(4.0, 0.2, 0.6)) == 25 + on
    assert passes(heun, grids.uniform(18, 0.99), 4.0) == 2 * 35


def test_eq_production_adam():
    # The master copy and both moments are float32, weight and gradient have 16 bits.
    master = nn.Linear(11, 7, bias=False)
    optimizer = torch.optim.AdamW(master.parameters())
    master(torch.randn(2, 11)).sum().backward()
    optimizer.step()
    state = optimizer.state[master.weight]
    kept = [master.weight.float(), state["exp_avg"].float(), state["exp_avg_sq"].float()]
    kept += [master.weight.bfloat16(), master.weight.grad.bfloat16()]
    assert sum(x.numel() * x.element_size() for x in kept) / master.weight.numel() == 16


def test_eq_production_training():
    net = nn.Sequential(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 64))
    x = torch.randn(32, 64, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        y = net(x)
    with FlopCounterMode(display=False) as backward:
        y.sum().backward()
    total = forward.get_total_flops() + backward.get_total_flops()
    assert total / forward.get_total_flops() == pytest.approx(3.0)


def test_eq_production_break_even():
    # The passes of one served image counted on a guided sampler, against three per image shown in training.
    shown, per_image = 1_000_000_000, passes(dpmpp_2m, grids.uniform(25, 0.99), 4.0)
    assert 3 * shown / per_image == 60_000_000


def test_sdxls_unet_takes_41_gigabytes_with_adam():
    assert 16 * PRESETS["SDXL, 1024 pixels"]["parameters"] == pytest.approx(41, abs=0.5)


def test_a_student_has_paid_for_itself_where_both_bills_are_equal():
    # The bills in forward passes: the teacher alone, and the student with its training of 3 passes an image.
    teacher, student, shown = passes(dpmpp_2m, grids.uniform(25, 0.99), 4.0), 4, 7_000_000
    served = 3 * shown / (teacher - student)
    assert served * teacher == pytest.approx(3 * shown + served * student)
    assert 2 * served * teacher > 3 * shown + 2 * served * student
