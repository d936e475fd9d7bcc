"""The transformer and its twin: who sees whom, the cache, equal size, refusals."""

import pytest
import torch

from diffusion_lab.models.text import Causal, TextNet
from diffusion_lab.text import Likelihood, nll, writing, written

SMALL = {"width": 20, "depth": 2, "heads": 2}


def filled(model, rng):
    """Weights that leave no place silent."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.3 * torch.randn(p.shape, generator=rng))
    return model.eval()


@pytest.fixture
def twin(rng):
    return filled(Causal(5, 7, **SMALL), rng)


def test_the_diffusion_network_sees_both_sides_and_the_twin_the_left(rng, twin):
    net, x = filled(TextNet(5, 7, **SMALL), rng), torch.randint(5, (1, 7), generator=rng)
    other = x.clone()
    other[0, 3] = (x[0, 3] + 1) % 5
    t = torch.tensor([0.3])
    moved = (net(x, t) - net(other, t)).abs().amax(-1)[0]
    assert (moved > 1e-6).all()
    moved = (twin(x) - twin(other)).abs().amax(-1)[0]
    assert (moved[:4] == 0).all()
    assert (moved[4:] > 1e-6).all()


def test_time_and_class_reach_every_token(rng):
    net, x = filled(TextNet(5, 7, n_classes=3, **SMALL), rng), torch.randint(5, (2, 7), generator=rng)
    t, labels = torch.tensor([0.3, 0.3]), torch.tensor([0, 1])
    base = net(x, t, labels)
    assert ((net(x, t + 0.4, labels) - base).abs().amax(-1) > 1e-6).all()
    assert ((net(x, t, labels + 1) - base).abs().amax(-1) > 1e-6).all()
    torch.testing.assert_close(net(x, t), net(x, t, torch.tensor([3, 3])))


def test_the_twins_probabilities_of_all_texts_sum_to_one(rng, twin):
    texts = torch.cartesian_prod(*[torch.arange(5)] * 4)
    short = filled(Causal(5, 4, **SMALL), rng)
    torch.testing.assert_close((-nll(short, texts)).exp().sum(), torch.tensor(1.0))
    torch.testing.assert_close(Likelihood(short)(texts, None, rng), nll(short, texts))


def test_the_cache_changes_the_work_and_not_the_answer(rng, twin):
    x = torch.randint(5, (3, 7), generator=rng)
    whole = twin(x)
    read, past, parts = torch.cat([torch.full((3, 1), 5), x[:, :-1]], 1), None, []
    for piece in read.split([1, 3, 2, 1], 1):
        log_p, past = twin.after(piece, past)
        parts.append(log_p)
    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_the_twin_writes_its_own_law(rng):
    # 20,011 texts of 2 tokens over 3: the largest standard error is 0.0036.
    twin = filled(Causal(3, 2, **SMALL), rng)
    x = written(twin, torch.empty(20_011, 0, dtype=torch.long), rng)
    frequency = torch.bincount(3 * x[:, 0] + x[:, 1], minlength=9) / len(x)
    law = (-nll(twin, torch.cartesian_prod(torch.arange(3), torch.arange(3)))).exp()
    assert (frequency - law).abs().max() < 4 * 0.0036


def test_writing_grows_by_a_token_and_keeps_its_prefix(rng, twin):
    prefix = torch.randint(5, (2, 3), generator=rng)
    texts = list(writing(twin, prefix, rng))
    assert [text.shape[1] for text in texts] == [4, 5, 6, 7]
    assert torch.equal(texts[-1][:, :3], prefix)
    cold = written(twin, prefix, rng, temperature=1e-3)
    for i in range(3, 7):
        assert torch.equal(cold[:, i], twin(cold)[:, i].argmax(-1))
    with pytest.raises(ValueError, match="nothing is left"):
        written(twin, torch.zeros(1, 7, dtype=torch.long))


def test_both_have_the_same_blocks():
    net, twin = TextNet(5, 7, **SMALL), Causal(5, 7, **SMALL)
    sizes = [sum(p.numel() for p in model.trunk.parameters()) for model in (net, twin)]
    assert sizes[0] == sizes[1]
    assert sizes[0] / sum(p.numel() for p in net.parameters()) > 0.8


def test_what_does_not_fit_is_refused(rng):
    net = TextNet(5, 7, **SMALL)
    t = torch.tensor([0.5])
    with pytest.raises(ValueError, match=r"sequences of 8 tokens: this network has 7 places"):
        net(torch.zeros(1, 8, dtype=torch.long), t)
    with pytest.raises(ValueError, match=r"token ids run from 0 to 5: this network knows 0 to 4"):
        net(torch.tensor([[0, 5]]), t)
    with pytest.raises(ValueError, match="this network knows no classes"):
        net(torch.zeros(1, 7, dtype=torch.long), t, torch.tensor([1]))
    with pytest.raises(ValueError, match="class labels run from 4 to 4"):
        TextNet(5, 7, n_classes=3, **SMALL)(torch.zeros(1, 7, dtype=torch.long), t, torch.tensor([4]))
