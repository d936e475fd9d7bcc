"""Networks: shapes, silence before training, independence of examples, what they read and refuse."""

import math
import shutil
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from diffusion_lab.denoisers import LearnedVariance
from diffusion_lab.models import MLP, DiT, UNet, dit, unet
from diffusion_lab.models.layers import SelfAttention, check_input, modulate, time_features
from diffusion_lab.processes import Gaussian
from diffusion_lab.schedules import VP

CLASSES = 3


def make_mlp(n_classes: int = CLASSES) -> tuple[nn.Module, tuple[int, ...]]:
    return MLP((7, 2), width=13, depth=2, features=10, n_classes=n_classes), (7, 2)


def make_unet(n_classes: int = CLASSES) -> tuple[nn.Module, tuple[int, ...]]:
    net = UNet(
        2, channels=6, multipliers=(1, 3), blocks=1, attention=(1,), heads=3, groups=3, n_classes=n_classes
    )
    return net, (2, 6, 10)


def make_dit(n_classes: int = CLASSES) -> tuple[nn.Module, tuple[int, ...]]:
    return DiT(9, 2, patch=3, width=20, depth=2, heads=5, n_classes=n_classes), (2, 9, 9)


each_network = pytest.mark.parametrize("make", [make_mlp, make_unet, make_dit])


def awake(net: nn.Module, rng: torch.Generator) -> nn.Module:
    """Random weights everywhere: nothing is hidden behind a zero."""
    with torch.no_grad():
        for p in net.parameters():
            p.normal_(0, 1 / math.sqrt(p[0].numel() or 1) if p.ndim > 1 else 0.5, generator=rng)
    return net


def inputs(shape: tuple[int, ...], rng: torch.Generator, n: int = 5):
    labels = torch.randint(CLASSES + 1, (n,), generator=rng)
    return torch.randn(n, *shape, generator=rng), torch.rand(n, generator=rng), labels


@each_network
def test_the_output_has_the_shape_of_the_input(make, rng):
    net, shape = make()
    for n in (1, 5):
        x, t, labels = inputs(shape, rng, n)
        assert net(x, t, labels).shape == x.shape


@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_networks_take_the_sizes_of_the_lab(size, channels, rng):
    x, t, _ = inputs((channels, size, size), rng, 2)
    for net in (UNet(channels, channels=8, groups=4), DiT(size, channels, patch=4, depth=1)):
        assert net(x, t, None).shape == x.shape


@pytest.mark.parametrize(
    "make", [lambda: UNet(3, 6, channels=8), lambda: DiT(8, 3, 6, depth=1)], ids=["unet", "dit"]
)
def test_twice_the_channels_serve_a_learned_variance(make, rng):
    x, _, _ = inputs((3, 8, 8), rng)
    pred = LearnedVariance(make(), Gaussian(VP()))(x, 0.5)
    assert pred.y.shape == x.shape
    assert (pred.large == 0.5).all()  # silent: half way between the two variances


@each_network
def test_an_untrained_network_says_exactly_zero(make, rng):
    net, shape = make()
    assert (net(*inputs(shape, rng)) == 0).all()


@pytest.mark.parametrize(
    ("block", "h", "c"),
    [
        (lambda: MLP(width=13, depth=1).blocks[0], (13,), 13),
        (lambda: unet.Block(6, 6, 11, groups=3, heads=2), (6, 5, 7), 11),
        (lambda: DiT(4, width=20, depth=1, heads=5).blocks[0], (7, 20), 20),
    ],
    ids=["mlp", "unet", "dit"],
)
def test_an_untrained_block_is_the_identity(block, h, c, rng):
    h = torch.randn(3, *h, generator=rng)
    assert torch.equal(block()(h, torch.randn(3, c, generator=rng)), h)


@each_network
def test_the_gradient_reaches_every_parameter(make, rng):
    net, shape = make()
    x, t, _ = inputs(shape, rng)
    awake(net, rng)(x, t, torch.tensor([0, 1, 2, 3, 3])).square().sum().backward()
    for name, p in net.named_parameters():
        assert p.grad is not None, name
        assert p.grad.abs().amax() > 1e-9, name


@each_network
def test_examples_of_a_batch_do_not_mix(make, rng):
    net, shape = make()
    x, t, labels = inputs(shape, rng)
    y = awake(net, rng)(x, t, labels)
    x[2], t[2], labels[2] = 7.0, 0.99, (labels[2] + 1) % CLASSES
    changed = net(x, t, labels)
    others = [0, 1, 3, 4]
    torch.testing.assert_close(changed[others], y[others], rtol=0, atol=1e-12)
    assert (changed[2] - y[2]).abs().amax() > 1e-3


@each_network
def test_every_value_of_x_the_time_and_the_class_matter(make, rng):
    net, shape = make()
    x, t, labels = inputs(shape, rng, 2)
    y = awake(net, rng)(x.requires_grad_(), t, labels)
    y.square().sum().backward()
    assert (x.grad.abs() > 1e-9).all()
    assert (net(x, t + 0.01, labels) - y).abs().amax() > 1e-3
    assert (net(x, t, (labels + 1) % CLASSES) - y).abs().amax() > 1e-3


@each_network
def test_no_condition_is_the_null_label(make, rng):
    net, shape = make()
    x, t, _ = inputs(shape, rng)
    null = torch.full((5,), CLASSES)
    assert torch.equal(awake(net, rng)(x, t), net(x, t, null))


@each_network
def test_a_network_without_classes_ignores_the_condition(make, rng):
    net, shape = make(n_classes=0)
    x, t, labels = inputs(shape, rng)
    assert torch.equal(awake(net, rng)(x, t, labels), net(x, t))


@each_network
def test_a_seed_fixes_the_weights_and_a_forward_pass_draws_nothing(make, rng):
    with torch.random.fork_rng():
        torch.manual_seed(11)
        net, shape = make()
        before = torch.get_rng_state()
        net(*inputs(shape, rng))
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(11)
        again, _ = make()
    for p, q in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q)


@each_network
def test_a_network_asks_no_value_of_its_tensors(make):
    """On the meta device a look would raise; on a GPU it would stop the queue and forbid a CUDA graph."""
    with torch.device("meta"):
        net, shape = make()
        x, t, labels = torch.zeros(5, *shape), torch.zeros(5), torch.zeros(5, dtype=torch.long)
        assert net(x, t, labels).shape == net(x, t).shape == x.shape


@pytest.mark.parametrize("make", [make_unet, make_dit])
def test_channels_last_changes_no_number(make, rng):
    net, shape = make()
    x, t, labels = inputs(shape, rng)
    y = awake(net, rng)(x, t, labels)
    net.to(memory_format=torch.channels_last)
    torch.testing.assert_close(net(x.to(memory_format=torch.channels_last), t, labels), y)


@pytest.mark.float32
@each_network
def test_bf16_autocast_stays_near_float32(make, rng):
    net, shape = make()
    x, t, labels = inputs(shape, rng)
    y = awake(net, rng)(x, t, labels)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x, t, labels).float()
    assert (rough - y).norm() < 0.05 * y.norm()


def test_time_features_know_times_by_their_differences(rng):
    t, s, shift = torch.rand(3, 7, generator=rng)
    same = (time_features(t, 22) * time_features(s, 22)).sum(1)
    torch.testing.assert_close((time_features(t + shift, 22) * time_features(s + shift, 22)).sum(1), same)
    w = 1e4 ** -(torch.arange(11) / 11)
    torch.testing.assert_close(same, (1000 * (t - s)[:, None] * w).cos().sum(1))


def test_time_features_of_a_half_precision_time_are_computed_in_float32():
    t = torch.tensor([0.75], dtype=torch.bfloat16)  # exact, while 750 in steps of 4 would not be
    assert torch.equal(time_features(t, 12), time_features(t.float(), 12))


def test_attention_is_the_formula(rng):
    net = awake(SelfAttention(10, heads=2), rng)
    x = torch.randn(3, 7, 10, generator=rng)
    q, k, v = (x @ net.qkv.weight.T + net.qkv.bias).split(10, -1)
    heads = []
    for part in (slice(0, 5), slice(5, 10)):
        logits = q[..., part] @ k[..., part].mT / math.sqrt(5)
        heads.append(logits.softmax(-1) @ v[..., part])
    torch.testing.assert_close(net(x), F.linear(torch.cat(heads, -1), net.out.weight, net.out.bias))


def test_modulation_is_the_formula(rng):
    h, scale, shift = torch.randn(3, 5, 7, 11, generator=rng)
    torch.testing.assert_close(modulate(h, scale, shift), h * (1 + scale) + shift)


def test_patches_go_back_where_they_came_from(rng):
    net = DiT(12, 2, patch=3, width=4, depth=0, heads=1)
    x = torch.randn(5, 2, 12, 12, generator=rng)
    patches = F.unfold(x, 3, stride=3).mT.unflatten(2, (2, 9))  # (b, token, channel, pixel)
    assert torch.equal(net.unpatchify(patches.mT.flatten(2)), x)


def test_positions_tell_every_token_from_every_other():
    at = dit.position_features(5, 12)
    assert torch.cdist(at, at).add(torch.eye(25)).amin() > 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UNet(attention=(0, 3)), r"attention at levels \[3\]: the levels are 0 to 2"),
        (lambda: UNet(channels=20), "20 channels cannot be split into 8 groups"),
        (lambda: UNet(heads=3), "64 channels cannot be split into 3 attention heads"),
        (lambda: UNet(channels=5, groups=5, heads=5), "5 time features"),
        (lambda: DiT(10, patch=4), "patches of 4 do not tile an image of 10"),
        (lambda: DiT(8, width=6, heads=3), "width 6"),
    ],
)
def test_plans_that_cannot_be_built_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@each_network
def test_input_that_does_not_fit_is_refused(make, rng):
    net, shape = make()
    x, t, labels = inputs(shape, rng)
    with pytest.raises(ValueError, match=r"x has shape .* this network takes \(batch, "):
        net(torch.cat([x, x], 1), t, labels)
    with pytest.raises(ValueError, match=r"x is torch.float32 on cpu, the network torch.float64 on cpu"):
        net(x.float(), t.float(), labels)
    with pytest.raises(
        ValueError, match="class labels run from -1 to 4: this network knows 0 to 2, and 3 for"
    ):
        net(x, t, torch.tensor([0, -1, 4, 1, 2]))
    for bad in (labels.double(), labels[:1], 1):
        with pytest.raises(
            ValueError, match=r"class labels are .*: give a tensor of integers of shape \(5,\)"
        ):
            net(x, t, bad)


def test_unet_refuses_a_size_it_cannot_halve(rng):
    x, t, _ = inputs((1, 14, 16), rng)
    with pytest.raises(ValueError, match="14 x 16: both sides must be multiples of 4"):
        UNet(channels=8)(x, t)


def test_the_rank_of_x_and_the_number_of_times_are_checked():
    x = torch.zeros(5, 2, 3)
    with pytest.raises(ValueError, match=r"\(5, 2, 3\): this network takes \(batch, 1, any, any\)"):
        check_input(x, torch.zeros(5), (1, None, None), x)
    with pytest.raises(ValueError, match=r"t has shape \(1,\): give one time per example, \(5,\)"):
        check_input(x, torch.zeros(1), (2, 3), x)


COMPILE = """
import torch
from diffusion_lab.models import UNet

torch.set_grad_enabled(False)
net = UNet(2, channels=6, multipliers=(1, 1), blocks=1, attention=(), heads=3, groups=3, n_classes=3)
for p in net.parameters():
    p.data = 0.1 * torch.randn_like(p)
x, t, labels = torch.randn(5, 2, 6, 10), torch.rand(5), torch.tensor([0, 1, 2, 3, 3])
compiled = torch.compile(net, fullgraph=True)
torch.testing.assert_close(compiled(x, t, labels), net(x, t, labels), rtol=1e-4, atol=1e-4)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("c++") or shutil.which("cl")), reason="torch.compile needs a C++ compiler"
)
def test_unet_compiles_in_one_piece_to_the_same_numbers():
    # In a process of its own: what checks shapes during the tests cannot be traced.
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
