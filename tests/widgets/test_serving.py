"""The serving calculator: the page against the package, and the package against sums done by hand."""

from dataclasses import asdict, replace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from diffusion_lab.models import DiT
from diffusion_lab.models.dit import SIZES
from diffusion_lab.widgets.serving import FIRST, LIMITS, PRESETS, WHOLE, Serving, serving_calculator
from tests.test_parameter_counts import SDXL
from tests.widgets.node import evaluated

JOBS = [
    Serving(),
    Serving(steps=17, guided=0.4, batch=7, heun=True, flops=0.8, bytes=1.0, activations=0.3, fill=0.53),
    Serving(
        steps=4, guided=0.0, batch=3, flops=0.016, parameters=8.0, price=3.7, bandwidth=3.35, memory=11.0
    ),
]


def in_the_page(jobs):
    return evaluated(
        "const { served, verdict } = await import(`${W}/serving.mjs`);"
        "tell(given.jobs.map((job) => ({ ...served(job), verdict: verdict(job) })));",
        jobs=[asdict(job) for job in jobs],
    )


def test_the_page_counts_as_the_package_does():
    names = {"turningPoint": "turning_point"}
    for got, job in zip(in_the_page(JOBS), JOBS, strict=True):
        assert got.pop("both") == pytest.approx(job.seconds(2 * job.batch), rel=1e-12)
        assert got.pop("one") == pytest.approx(job.seconds(job.batch), rel=1e-12)
        verdict = got.pop("verdict")
        assert ("does not fit" in verdict) == (job.needed > job.memory)
        assert ("waits for arithmetic" in verdict) == (job.rows >= job.turning_point)
        for name, value in got.items():
            assert value == pytest.approx(getattr(job, names.get(name, name)), rel=1e-12), name


def test_passes_are_those_of_the_chapters_table():
    for want, job in (
        (100, Serving(steps=50)),
        (50, Serving(steps=25)),
        (35, Serving(steps=25, guided=0.4)),
        (70, Serving(steps=18, heun=True)),
        (25, Serving(steps=25, guided=0.0)),
        (4, Serving(steps=4, guided=0.0)),
    ):
        assert job.passes == pytest.approx(want)


def test_the_chapters_exercise():
    # 30 ms a pass and 60 ms for the rest: 9 guided evaluations, or 12 of which half are guided, take 0.6 s.
    job = Serving(flops=0.03, peak=1.0, utilisation=1.0, parameters=0.001, fixed=0.06)
    assert replace(job, steps=9).latency == pytest.approx(0.6)
    assert replace(job, steps=12, guided=0.5).latency == pytest.approx(0.6)


def test_a_pass_follows_the_roofline_of_the_text_chapter():
    P, B, F = 8e9, 3.35e12, 990e12
    job = Serving(flops=2 * P / 1e12, parameters=P / 1e9, peak=F / 1e12, utilisation=1.0, bandwidth=B / 1e12)
    for n in (1, 128, 296, 1024):
        assert job.seconds(n) == pytest.approx(max(2 * P / B, 2 * P * n / F))
    assert job.turning_point == pytest.approx(F / B)  # about 300 tokens are free while the weights arrive


def test_while_weights_are_read_guidance_is_free_and_in_arithmetic_it_doubles():
    free = Serving(flops=0.016, parameters=8.0, fixed=0.0)
    assert free.latency == pytest.approx(replace(free, guided=0.0).latency)
    paid = Serving(fixed=0.0)
    assert paid.latency == pytest.approx(2 * replace(paid, guided=0.0).latency)


def test_memory_and_price_by_hand():
    job = Serving(
        parameters=12.0, bytes=0.5, others=3.0, activations=0.25, batch=5, guided=0.1, price=3.6, fill=0.5
    )
    assert job.needed == pytest.approx(6 + 3 + 10 * 0.25)
    assert replace(job, guided=0.0).needed == pytest.approx(6 + 3 + 5 * 0.25)
    # 3.6 an hour is a thousandth a second; half of five places are taken.
    assert job.cost == pytest.approx(1000 * 0.001 * job.latency / 2.5)


@pytest.mark.parametrize("name", LIMITS)
def test_nonsense_is_refused_with_a_sentence(name):
    low, high = LIMITS[name]
    number = int if name in WHOLE else float
    for value in (number(low) - 1, number(2 * high + 1)):
        with pytest.raises(ValueError, match=rf"^{name} = .*: give a number from"):
            Serving(**{name: value})


def test_the_page_refuses_the_same_and_says_what_it_wants():
    told = evaluated(
        """
        const { checked } = await import(`${W}/serving.mjs`);
        tell([
          checked("Steps", "2.5", [1, 100], true, 1), checked("Fill, %", "140", [0.01, 1], false, 100),
          checked("Price", "", [0, 100], false, 1), checked("Price", "x", [0, 100], false, 1),
          checked("Price", "-1", [0, 100], false, 1), checked("Fill, %", "40", [0.01, 1], false, 100),
        ]);
        """
    )
    assert told[0] == {"refusal": "Steps: give a whole number from 1 to 100, not 2.5."}
    assert told[1] == {"refusal": "Fill, %: give a number from 1 to 100, not 140."}
    assert told[2] == {"refusal": "Price: give a number from 0 to 100, not nothing."}
    assert all("refusal" in one for one in told[3:5])
    assert told[5] == {"value": 0.4}


def test_what_the_chapter_says_about_an_image_and_a_token():
    image = Serving()
    assert image.turning_point < 1
    four = replace(image, batch=4)
    assert four.latency == pytest.approx(4 * image.latency)
    assert four.cost == pytest.approx(image.cost)
    assert replace(image, bytes=0.5).latency == pytest.approx(image.latency)
    token = replace(image, fixed=0.0, **PRESETS["one token, 8 billion parameters"])
    assert token.turning_point == pytest.approx(60)
    assert replace(token, batch=30).latency == pytest.approx(token.latency)  # 60 rows with guidance


def test_every_result_shows_its_formula_and_its_numbers():
    told = evaluated(
        "const { formulas } = await import(`${W}/serving.mjs`); tell(formulas(given.job));",
        job=asdict(Serving()),
    )
    by_name = {name: (formula, numbers, value) for name, formula, numbers, value in told}
    assert by_name["latency of the batch"] == (
        "K · (g · T(2b) + (1 − g) · T(b)) + b · T_fixed",
        "25 · (1 · 0.113 + 0 · 0.0563) + 1 · 0.1",
        "2.92 s",
    )
    assert by_name["memory"] == ("W + W_others + 2 b · A", "5.13 + 2 + 2 · 1", "9.13 GB")


def counted(build, *inputs, **named):
    """TFLOP of one pass and billions of parameters, on the meta device: shapes and no numbers."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        net = build()
        net(*[make() for make in inputs], **{name: make() for name, make in named.items()})
    return counter.get_total_flops() / 1e12, sum(p.numel() for p in net.parameters()) / 1e9


def sdxl_extra():
    return {"text_embeds": torch.zeros(1, 1280), "time_ids": torch.zeros(1, 6)}


@pytest.mark.float32
@pytest.mark.parametrize(
    ("name", "count"),
    [
        (
            "DiT-XL/2, 256 pixels",
            lambda: counted(
                lambda: DiT(32, 4, 8, patch=2, n_classes=1000, **SIZES["XL"]),
                lambda: torch.zeros(1, 4, 32, 32),
                lambda: torch.ones(1),
                lambda: torch.zeros(1, dtype=torch.long),
            ),
        ),
        (
            "Stable Diffusion 1.5, 512 pixels",
            lambda: counted(
                lambda: UNet2DConditionModel(cross_attention_dim=768),
                lambda: torch.zeros(1, 4, 64, 64),
                lambda: torch.ones(1),
                lambda: torch.zeros(1, 77, 768),
            ),
        ),
        (
            "SDXL, 1024 pixels",
            lambda: counted(
                lambda: UNet2DConditionModel(**SDXL),
                lambda: torch.zeros(1, 4, 128, 128),
                lambda: torch.ones(1),
                lambda: torch.zeros(1, 77, 2048),
                added_cond_kwargs=sdxl_extra,
            ),
        ),
    ],
    ids=["DiT-XL/2", "SD 1.5", "SDXL"],
)
def test_presets_are_counted_on_the_networks(name, count):
    flops, parameters = count()
    assert PRESETS[name]["flops"] == pytest.approx(flops, abs=6e-4)
    assert PRESETS[name]["parameters"] == pytest.approx(parameters, abs=6e-4)


def test_the_part_starts_with_its_own_preset():
    part, job = serving_calculator(), Serving()
    assert {name: getattr(job, name) for name in PRESETS[FIRST]} == PRESETS[part.data["preset"]]
    assert "At batch 1: 2.92 s, 9.1 GB and 1.62 for a thousand images." in part.alt
