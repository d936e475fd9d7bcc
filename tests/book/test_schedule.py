"""The page plans reviews as the terminal does: the same states, the same days, the same counts."""

import random

import pytest

from diffusion_lab.book.scheduler import module
from diffusion_lab.quiz import progress, spoken
from diffusion_lab.quiz.clock import DAY_MS, Moment, guarded, study_day
from diffusion_lab.quiz.memory import Answer, Memory, fuzzed
from diffusion_lab.quiz.records import Mark, Review, stamp
from diffusion_lab.quiz.seeded import Seeded
from diffusion_lab.quiz.store import open_store
from diffusion_lab.quiz.transfer import exported
from tests.book.histories import NOON, studied
from tests.book.pages import javascript, packages_or_skip, ts_fsrs

WEIGHTS = [
    0.25, 1.1, 2.7, 7.1, 6.0, 0.9, 2.6, 0.01, 1.6, 0.19, 0.9, 1.3, 0.07, 0.3, 1.4, 0.5, 1.6, 0.5, 0.1, 0.08,
    0.2,
]  # fmt: skip
CARDS = [f"card-{n}" for n in range(61)]
DAY = study_day(NOON)


def histories(count, seed):
    """Random answers to one card each; now and then a date goes back, as after a flight west."""
    chance = random.Random(seed)
    for number in range(count):
        day, answers = 20_000, []
        for _ in range(chance.randint(1, 13)):
            day += chance.choice([0, 0, -1, 1, 2, 5, round(chance.expovariate(0.02))])
            answers.append(Answer(chance.choice([1, 2, 3, 3, 3, 4]), day, f"card-{number}"))
        yield answers


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["own", "fitted"])
@pytest.mark.parametrize("retention", [0.9, 0.83])
def test_replays_of_random_histories_give_the_terminals_states_and_days(weights, retention):
    given = list(histories(503, seed=7))
    code = f"""{ts_fsrs()}
    const fsrs = s.model(tsFsrs, {{ weights: given.weights, retention: given.retention }});
    const named = (answers) => answers.map(([grade, day, seed]) => ({{ grade, day, seed }}));
    const result = given.histories.map((answers) => s.replay(fsrs, named(answers)));
    """
    data = {"weights": weights, "retention": retention, "histories": given}
    found = javascript(code, data, s="schedule.mjs")
    memory = Memory(weights, retention)
    for answers, state in zip(given, found, strict=True):
        wanted = memory.replay(answers)
        assert state["stability"] == pytest.approx(wanted.stability, rel=1e-4)
        assert state["difficulty"] == pytest.approx(wanted.difficulty, rel=1e-4)
        assert (state["reps"], state["last"], state["due"]) == (wanted.reps, wanted.last_day, wanted.due_day)


def test_intervals_are_moved_as_in_the_terminal():
    intervals = [*range(1, 401), *range(401, 36_500, 997), 36_500]
    seeds = [f"{card}:{reps}" for card in ("cfg-law", "é-ᾱ", "x" * 200) for reps in (1, 17)]
    pairs = [(interval, seed) for interval in intervals for seed in seeds[interval % 6 :: 6]]
    found = javascript("const result = given.map((pair) => s.fuzzed(...pair));", pairs, s="schedule.mjs")
    assert found == [fuzzed(*pair) for pair in pairs]


def test_seeded_choices_are_the_terminals():
    texts = ["a", "0", "card:1", "ᾱ_t", *(f"{n}" * n for n in range(1, 300, 7))]
    code = "const result = given.map((text, n) => [2, 53, 36_501].map(r.seeded(n, text)));"
    found = javascript(code, texts, r="seeded.mjs")
    for n, (text, drawn) in enumerate(zip(texts, found, strict=True)):
        choices = Seeded(n, text)
        assert drawn == [choices.below(count) for count in (2, 53, 36_501)]


def test_study_days_guards_and_words_are_the_terminals():
    chance = random.Random(3)
    moments = [(chance.randrange(10**12, 2 * 10**12), chance.randrange(-960, 961)) for _ in range(307)]
    ahead = [-3, 0, 1, 2, 3, 30, 400]
    lasts = [NOON.at_ms + hours * 3_600_000 for hours in (-10_000, -1, 0, 11, 13, 100)]
    code = """
    const days = given.moments.map(([at, offset]) => c.studyDay({ at, offset }));
    const spoken = given.ahead.map((n) => w.when(given.day + n, given.day));
    const guarded = given.lasts.map((last) => c.guarded(given.noon, last));
    const warned = guarded.map(({ warning }) => Boolean(warning));
    const result = [days, spoken, guarded.map(({ at }) => at), warned];
    """
    noon = {"at": NOON.at_ms, "offset": NOON.offset_min}
    data = {"moments": moments, "ahead": ahead, "day": DAY, "lasts": lasts, "noon": noon}
    days, words, dated, warned = javascript(code, data, c="clock.mjs", w="spoken.mjs")
    assert days == [study_day(Moment(*one)) for one in moments]
    assert words == [spoken.due(DAY + n, DAY) for n in ahead]
    checked = [guarded(NOON, last) for last in lasts]
    assert dated == [one.moment.at_ms for one in checked]
    assert warned == [one.warning is not None for one in checked]
    assert any(warned)


STANDING = """
const rows = l.parsed(given.log, given.now);
const stands = s.standing(rows, tsFsrs, new Map(given.names), given.day);
const counts = s.counts(stands, given.cards, given.day);
const result = { ...counts, states: [...stands.states], aside: [...stands.aside] };
"""


def standing(store, names=(), cards=CARDS):
    """What the page makes of an exported log."""
    data = {
        "log": "\n".join(exported(store)),
        "now": NOON.at_ms,
        "names": list(names),
        "day": DAY,
        "cards": cards,
    }
    return javascript(ts_fsrs() + STANDING, data, l="log.mjs", s="standing.mjs")


def due_days(found):
    return {card: state["due"] for card, state in found["states"]}


def waiting(store, cards=CARDS):
    """Due and new cards of the terminal, as `quiz due` counts them."""
    states = progress.states(store)
    out = progress.suspended(store) | progress.buried(store, DAY)
    known = [states.get(card) for card in cards if card not in out]
    return {
        "due": sum(state is not None and state.due_day <= DAY for state in known),
        "new": known.count(None),
    }


@pytest.mark.parametrize("settings", [{}, {"weights": WEIGHTS, "retention": 0.85}], ids=["own", "fitted"])
def test_a_log_of_weeks_gives_the_terminals_counts_and_due_days(tmp_path, settings):
    with open_store(NOON, str(tmp_path)) as store:
        studied(store, CARDS[:53])
        for key, value in settings.items():
            store.choose(key, value, NOON)
        found, wanted = standing(store), waiting(store)
        assert {"due": found["due"], "new": found["new"]} == wanted
        assert wanted["due"] > 3
        assert due_days(found) == {card: state.due_day for card, state in progress.states(store).items()}
        assert set(found["aside"]) == progress.suspended(store) | progress.buried(store, DAY)


def test_progress_follows_a_renamed_card(tmp_path):
    with open_store(NOON, str(tmp_path)) as store:
        studied(store, CARDS[:41])
        names = {"card-0": "card-new", **{f"card-{n}": f"card-{n + 1}" for n in range(1, 40, 2)}}
        live = [card for card in [*CARDS, "card-new"] if card not in names]
        progress.adopt(store, names, live)
        found, wanted = standing(store, names.items(), live), waiting(store, live)
        assert {"due": found["due"], "new": found["new"]} == wanted
        assert due_days(found) == {card: state.due_day for card, state in progress.states(store).items()}


def test_without_ts_fsrs_what_was_answered_still_counts(tmp_path):
    at = Moment(NOON.at_ms - DAY_MS, 60)
    review = Review(*stamp(at), "card-1", 1, "{}", None, None, "session", None, "model")
    with open_store(NOON, str(tmp_path)) as store:
        store.append(review)
        store.append(Mark(*stamp(at), "card-2", "suspend"))
        log = "\n".join(exported(store))
    code = """
    const module = await k.loaded(() => import("./there-is-none.mjs"));
    const stands = s.standing(l.parsed(given.log, given.now), module, new Map(), given.day);
    const said = ["card-1", "card-2", "card-3"].map((card) => s.words(stands, card, given.day));
    const result = [module, ...said];
    """
    data = {"log": log, "now": NOON.at_ms, "day": DAY}
    found = javascript(code, data, k="schedule.mjs", l="log.mjs", s="standing.mjs")
    assert found == [None, ["missed"], ["aside"], ["new"]]


def test_the_site_gets_ts_fsrs_with_its_licence_and_no_source_map():
    packages_or_skip()
    text = module()
    assert text.startswith("/*!")
    assert "MIT License" in text.split("*/")[0]
    assert "sourceMappingURL" not in text
    assert "FSRSAlgorithm" in text.rpartition("export {")[2]
