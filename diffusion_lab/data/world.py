"""A world that captions can be written about: attributes, their words, which combinations are held out.

    world.captions(scenes)                      # word numbers (n, l): "a small dim ring at the left"
    x, words = world.picture_and_caption(64, rng)

A scene is a row of attribute numbers. Every attribute and every pair of attributes is seen in training, but
one in six of the full combinations is held out: whether a model composes words it never saw together can be
counted. `drawn.py` and `styled.py` are such worlds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import lookup

Render = Callable[[Tensor, torch.Generator], Tensor]
"""(scenes (n, m), rng) -> pictures (n, 1, 16, 16) in [-1, 1]."""

PAD = 0
HELD_OUT = 6


@dataclass(frozen=True, eq=False)
class World:
    """name: of the model that ships for it. attributes: name -> its words, in the order of a caption.

    noun: the attribute that a caption calls `thing` where it does not say it. before: words that come and go
    with an attribute. spare: words that no caption uses. render: pictures to train on; unseen: to measure by.
    """

    name: str
    attributes: Mapping[str, tuple[str, ...]]
    noun: str
    thing: str
    render: Render
    unseen: Render
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spare: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many words each attribute has."""
        return tuple(len(words) for words in self.attributes.values())

    @cached_property
    def length(self) -> int:
        """Of the longest caption, in words."""
        return 1 + len(self.attributes) + sum(len(words) for words in self.before.values())

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Word number 0 is the empty word that fills captions up; a row of them is the empty caption."""
        joining = [word for words in self.before.values() for word in words]
        naming = [word for words in self.attributes.values() for word in words]
        return ("", "a", *joining, self.thing, *naming, *self.spare)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word -> its number."""
        return {word: i for i, word in enumerate(self.vocabulary) if word}

    def all_scenes(self) -> Int[Tensor, "n m"]:
        """Every combination of attributes."""
        return torch.cartesian_prod(*[torch.arange(n) for n in self.counts])

    def held_out(self, scenes: Int[Tensor, "n m"]) -> Bool[Tensor, "n"]:
        """One combination in six, by the sum of its numbers: no single value and no pair is ever missing."""
        return scenes.sum(1) % HELD_OUT == 0

    def random_scenes(self, n: int, rng: torch.Generator, unseen: bool = False) -> Int[Tensor, "n m"]:
        """n rows from the combinations of the training set, or from those held out."""
        scenes = self.all_scenes()
        pool = scenes[self.held_out(scenes) == unseen]
        return pool[torch.randint(len(pool), (n,), generator=rng)]

    def captions(
        self, scenes: Int[Tensor, "n m"], said: Bool[Tensor, "n m"] | None = None
    ) -> Int[Tensor, "n l"]:
        """Word numbers of "a ..." with a word for each attribute that is `said`: all of them unless given."""
        said = torch.ones_like(scenes, dtype=torch.bool) if said is None else said
        columns = [torch.full_like(scenes[:, 0], self.numbers["a"])]
        for i, (name, words) in enumerate(self.attributes.items()):
            columns += [self.numbers[word] * said[:, i] for word in self.before.get(name, ())]
            unsaid = self.numbers[self.thing] if name == self.noun else PAD
            columns.append(torch.where(said[:, i], scenes[:, i] + self.numbers[words[0]], unsaid))
        row = torch.stack(columns, 1)
        return row.gather(1, (row == PAD).long().argsort(dim=1, stable=True))

    def phrase(self, words: Int[Tensor, "l"]) -> str:
        """A caption as text."""
        return " ".join(self.vocabulary[i] for i in words.tolist() if i != PAD)

    def tokens(self, texts: Sequence[str]) -> Int[Tensor, "n l"]:
        """Captions as a model reads them. Unknown words and captions that are too long are refused."""
        return torch.tensor([self.encoded(text) for text in texts]).reshape(-1, self.length)

    def encoded(self, text: str) -> list[int]:
        """One caption as word numbers."""
        words = text.lower().split()
        if len(words) > self.length:
            raise ValueError(f"the caption {text!r} has {len(words)} words: give at most {self.length}.")
        numbers = [lookup(word, self.numbers, "word") for word in words]
        return numbers + [PAD] * (self.length - len(words))

    def picture_and_caption(
        self, n: int, rng: torch.Generator, leave_out: float = 0.05
    ) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, "n l"]]:
        """Training pairs. Each attribute is left out of a caption with probability `leave_out`, so that
        shorter phrases mean something too."""
        scenes = self.random_scenes(n, rng)
        said = torch.rand(scenes.shape, generator=rng) >= leave_out
        return self.render(scenes, rng), self.captions(scenes, said)

    def picture_and_scene(
        self, n: int, rng: torch.Generator
    ) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, "n m"]]:
        """Of every combination: a judge knows those that the painter never saw."""
        scenes = self.all_scenes()
        scenes = scenes[torch.randint(len(scenes), (n,), generator=rng)]
        return self.render(scenes, rng), scenes
