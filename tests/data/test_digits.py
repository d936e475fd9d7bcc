"""Digits: the data itself at 8 pixels, the same ink at 16 and 32, and a split that stays where it is."""

from hashlib import sha256

import pytest
import torch
import torch.nn.functional as F
from sklearn import datasets

from diffusion_lab.data import load_digits
from diffusion_lab.data.digits import SIZES, enlarged, raw, split_rows


def test_8_pixels_are_scikit_learns_images_up_to_scale():
    data, (x, labels) = datasets.load_digits(), raw()
    assert torch.equal(8 * (x[:, 0] + 1), torch.from_numpy(data.images))
    assert torch.equal(labels, torch.from_numpy(data.target))


def test_the_two_parts_are_disjoint_and_make_up_the_whole():
    x, labels = raw()
    rows = split_rows(x, labels)
    assert torch.equal(torch.cat([rows["train"], rows["test"]]).sort().values, torch.arange(1797))
    for split, own in rows.items():
        images, classes = load_digits(8, split)
        assert torch.equal(images, x[own])
        assert torch.equal(classes, labels[own])


def test_no_image_is_in_both_parts_nor_twice_in_one():
    both = torch.cat([load_digits(8, "train")[0], load_digits(8, "test")[0]]).flatten(1)
    assert len(both.unique(dim=0)) == len(both) == 1797


def test_each_class_is_halved():
    train, test = (load_digits(8, split)[1].bincount(minlength=10) for split in ("train", "test"))
    assert set((train - test).tolist()) <= {0, 1}


def test_the_split_does_not_depend_on_the_order_of_the_images(rng):
    x, labels = raw()
    shuffle = torch.randperm(len(x), generator=rng)
    again = split_rows(x[shuffle], labels[shuffle])["test"]
    assert torch.equal(shuffle[again].sort().values, split_rows(x, labels)["test"])


def test_the_split_is_the_one_that_trained_weights_and_printed_figures_rest_on():
    rows = split_rows(*raw())["test"]
    assert sha256(str(rows.tolist()).encode()).hexdigest()[:16] == "6ee7c0897a11c9f5"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_images_are_in_range_and_labelled(size, split):
    x, labels = load_digits(size, split)
    assert x.shape == (len(labels), 1, size, size)
    assert x.min() == -1
    assert x.max() == 1
    assert labels.unique().tolist() == list(range(10))


@pytest.mark.parametrize(("large", "small"), [(32, 16), (32, 8), (16, 8)])
def test_block_means_of_a_larger_size_are_the_smaller_one(large, small):
    x, y = load_digits(large, "test")[0], load_digits(small, "test")[0]
    torch.testing.assert_close(F.avg_pool2d(x, large // small), y, atol=1e-12, rtol=0)


def test_an_enlarged_image_is_as_smooth_as_the_data_allow():
    """Against the two plain answers: repeated pixels keep the means but step at every block edge; bicubic
    interpolation does not, but loses the means."""
    x = load_digits(8, "test")[0]
    blocky = x.repeat_interleave(4, 2).repeat_interleave(4, 3)
    bicubic = F.interpolate(x, 32, mode="bicubic", antialias=True).clamp(-1, 1)

    def step_at_edges(y):
        return y.diff(dim=3)[..., 3::4].abs().mean() / y.diff(dim=3).abs().mean()

    assert step_at_edges(blocky) == pytest.approx(31 / 7)  # all of its steps
    assert step_at_edges(enlarged(x, 4)) < 1.5 * step_at_edges(bicubic)
    assert (F.avg_pool2d(bicubic, 4) - x).square().mean().sqrt() > 0.1


def test_ink_that_a_block_cannot_share_out_stays_put():
    flat = torch.tensor([-1.0, 0.25, 1.0])[:, None, None, None].expand(3, 1, 3, 5)
    torch.testing.assert_close(enlarged(flat, 2), flat.repeat_interleave(2, 2).repeat_interleave(2, 3))


@pytest.mark.float32
def test_single_precision_keeps_range_and_means():
    x, y = load_digits(32)[0], load_digits(8)[0]
    assert x.dtype == torch.float32
    assert x.abs().max() == 1
    torch.testing.assert_close(F.avg_pool2d(x, 4), y, atol=1e-6, rtol=0)


def test_unknown_sizes_and_splits_are_sentences():
    with pytest.raises(ValueError, match="digits of 28 pixels: choose 8, 16 or 32"):
        load_digits(28)
    with pytest.raises(ValueError, match="no split 'tests': did you mean 'test'"):
        load_digits(8, "tests")
