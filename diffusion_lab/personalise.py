"""A new thing from a few pictures: DreamBooth's recipe, and textual inversion.

    objective = PriorPreservation(model, law)       # DreamBooth: all weights move; the class is kept in place
    objective = Objective(with_new_word(model), law)   # textual inversion: one word's vector moves, nothing
    else

Either trains in the ordinary `Trainer`. LoRA (`models.adapters.add_lora`) chooses which weights move; it is
no rival of these two but goes with the first.
"""

from copy import deepcopy
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .denoisers import Denoiser
from .grids import Law
from .models.captioned import TextEncoder
from .training import Objective


class PriorPreservation(nn.Module):
    """The loss on pictures of the new thing, plus `weight` times that on the model's own pictures of its
    class   (DreamBooth: Ruiz et al. 2023, eq. 2).

    Batches hold both: the first half of the rows is new, the second half of the class. One value per pair.
    """

    def __init__(self, model: Denoiser, law: Law, weight: float = 1.0):
        super().__init__()
        self.model, self.weight = model, weight
        self.both = Objective(model, law)

    def forward(self, x0: Tensor, cond: Any, rng: torch.Generator) -> Float[Tensor, "half"]:
        if len(x0) % 2:
            raise ValueError(f"a batch of {len(x0)}: give as many pictures of the class as of the new thing.")
        new, prior = self.both(x0, cond, rng).chunk(2)
        return new + self.weight * prior


class NewWord(nn.Module):
    """A frozen table of words with one row that trains   (textual inversion: Gal et al. 2023, section 4.2).

    The new row has the number after the last and starts as a copy of `like`, a word of the same kind.
    """

    def __init__(self, words: nn.Embedding, like: int):
        super().__init__()
        self.words = words
        self.number = words.num_embeddings
        self.vector = nn.Parameter(words.weight[like].detach().clone())

    def forward(self, ids: Int[Tensor, "b l"]) -> Float[Tensor, "b l k"]:
        is_new = ids == self.number
        return torch.where(is_new[..., None], self.vector, self.words(ids.masked_fill(is_new, 0)))


def with_new_word(model: Denoiser, like: int) -> tuple[Denoiser, int]:
    """A frozen copy of a captioned model that knows one word more, and that word's number."""
    model = deepcopy(model).requires_grad_(False)
    texts = [part for part in model.modules() if isinstance(part, TextEncoder)]
    if not texts:
        raise ValueError("this model reads no captions: a new word needs a text encoder.")
    known = texts[0].words
    if not 0 <= like < known.num_embeddings:
        raise ValueError(f"word {like}: the new word starts as one of 0 to {known.num_embeddings - 1}.")
    word = NewWord(known, like)
    texts[0].add_module("words", word)
    return model, word.number


def replaced(words: Int[Tensor, "b l"], old: int, new: int) -> Int[Tensor, "b l"]:
    """Captions with one word in the place of another."""
    return torch.where(words == old, new, words)
