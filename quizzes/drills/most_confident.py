"""Choose the tokens that come first."""

import torch

HINTS = (
    "Two questions: how sure the model was of each token that it drew, and which places may be chosen.",
    "Take log p of the drawn token, put -inf where a token shows, and find the k largest in each row.",
    "sure.masked_fill(~hidden, -inf).topk(k, 1).indices; scatter True at those into a row of False.",
)
BOOK = "text#parallel-decoding"


def cases():
    rng = torch.Generator().manual_seed(0)
    for b, l, v, k in ((5, 7, 3, 2), (3, 11, 5, 3), (2, 13, 7, 1)):
        log_p = (2 * torch.randn(b, l, v, generator=rng)).log_softmax(-1)
        hidden = torch.rand(b, l, generator=rng) < 0.6
        hidden[:, :4] = True
        yield log_p, torch.randint(v, (b, l), generator=rng), hidden, k


def most_confident(log_p, drawn, hidden, k):
    """True at the k hidden places whose drawn token was likeliest   (MaskGIT's and LLaDA's order).
    log_p: (b, l, v). drawn: ids (b, l). hidden: (b, l), True where masked. Returns (b, l), bool."""
    sure = log_p.gather(-1, drawn[..., None]).squeeze(-1).masked_fill(~hidden, -torch.inf)
    return torch.zeros_like(hidden).scatter(1, sure.topk(k, 1).indices, True)


def shown_chosen(log_p, drawn, hidden, k):
    """Places that show already are chosen: the quota is spent on them, and the text is never finished."""
    return most_confident(log_p, drawn, torch.ones_like(hidden), k)


def best_not_drawn(log_p, drawn, hidden, k):
    """You rank by the likeliest token of each place. What will be shown is the drawn one: rank by that."""
    return most_confident(log_p, log_p.argmax(-1), hidden, k)


def least_first(log_p, drawn, hidden, k):
    """The least likely draws come first: the sign is turned round."""
    sure = log_p.gather(-1, drawn[..., None]).squeeze(-1).masked_fill(~hidden, torch.inf)
    return torch.zeros_like(hidden).scatter(1, (-sure).topk(k, 1).indices, True)


def over_the_batch(log_p, drawn, hidden, k):
    """The places are chosen over the whole batch: each text needs k of its own."""
    sure = log_p.gather(-1, drawn[..., None]).squeeze(-1).masked_fill(~hidden, -torch.inf).flatten()
    chosen = torch.zeros_like(hidden).flatten()
    return chosen.scatter(0, sure.topk(k * len(hidden)).indices, True).reshape(hidden.shape)
