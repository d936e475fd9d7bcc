"""A store of the terminal with some weeks of study in it: answers, retries, undone ones, cards set aside."""

import random

from diffusion_lab.quiz.clock import DAY_MS, HOUR_MS, Moment
from diffusion_lab.quiz.progress import record, set_aside

# 2026-03-10 12:00 in Berlin: the day on which the pages are opened.
NOON = Moment(1_773_140_400_000, 60)


def studied(store, ids, seed=1, days=53):
    """Fill the store with the days before NOON; the same seed gives the same study."""
    chance = random.Random(seed)
    with store.transaction():
        for ahead in range(days, 0, -1):
            for card in chance.choices(ids, k=11):
                # Any hour of the day, at home or an hour further west: the study day decides.
                shift, offset = chance.randrange(20) * HOUR_MS, chance.choice([60, 0])
                at = Moment(NOON.at_ms - ahead * DAY_MS + shift, offset)
                record(store, card, chance.choice([1, 2, 3, 3, 3, 4]), at, session="sitting é")
                if chance.random() < 0.05:
                    store.undo("sitting é")
    set_aside(store, chance.choice(ids), "bury", Moment(NOON.at_ms - DAY_MS, 60))
    for card, what in zip(chance.sample(ids, 6), ["suspend", "suspend", "suspend", "bury", "bury", "bury"]):
        set_aside(store, card, what, NOON)
    back = chance.choice(ids)
    set_aside(store, back, "suspend", NOON)
    set_aside(store, back, "resume", NOON)
