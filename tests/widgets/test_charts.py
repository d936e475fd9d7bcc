"""Axes of the live parts: where a value lies on the canvas, round ticks, and curves with gaps."""

from tests.widgets.node import evaluated


def test_values_lie_where_the_axes_say():
    told = evaluated(
        """
        const { scales } = await import(`${W}/charts.mjs`);
        const { right, down } = scales(307, 211, [-3, 10], [2, 7]);
        tell([right(-3), right(10), right(3.5), down(2), down(7), down(4.5)]);
        """
    )
    left, end, middle, bottom, top, half = told
    assert 0 < left < middle < end < 307
    assert 0 < top < half < bottom < 211  # y grows upwards
    assert middle == (left + end) / 2
    assert half == (top + bottom) / 2


def test_ticks_are_round_and_inside():
    told = evaluated(
        """
        const { ticks } = await import(`${W}/charts.mjs`);
        tell([ticks([0, 1.05]), ticks([-15, 15]), ticks([0, 431]), ticks([0, 0.0017])]);
        """
    )
    assert [[text for _, text in axis] for axis in told] == [
        ["0", "0.5", "1"],
        ["-10", "0", "10"],
        ["0", "200", "400"],
        ["0", "0.0005", "0.001", "0.0015"],
    ]
    assert all(abs(value - float(text)) < 1e-12 for axis in told for value, text in axis)


def test_a_curve_is_interrupted_by_what_is_not_finite():
    told = evaluated(
        """
        const { paper } = await import(`${W}/charts.mjs`);
        const said = [];
        const context = new Proxy({}, {
          get: (_, name) => (...given) => said.push([name, ...given]),
          set: () => true,
        });
        const axes = { width: 307, height: 211, color: "black", x: [0, 1], y: [0, 1], xTitle: "" };
        const drawn = paper(context, axes);
        said.length = 0;
        drawn.line([[0, 0], [0.5, 1], [0.6, -Infinity], [0.7, NaN], [0.8, 1], [1, 0]]);
        tell(said.map(([name]) => name).filter((name) => name.endsWith("To")));
        """
    )
    assert told == ["moveTo", "lineTo", "moveTo", "lineTo"]
