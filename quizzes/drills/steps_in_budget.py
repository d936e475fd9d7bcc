"""Fit the steps into the budget."""

HINTS = (
    "Take off first what does not depend on the number of steps: encoder and decoder run once.",
    "A guided step is two passes of the network, unless w = 1 turns guidance off.",
    "(budget - encoder - decoder) // (forward * (1 if w == 1 else 2)), and never below 0.",
)
BOOK = "production#latency"


def cases():
    yield from ((510, 40, 60, 25, 4.0), (510, 40, 60, 25, 1.0), (733, 31, 57, 19, 7.5), (90, 40, 60, 25, 3.0))


def steps_in_budget(budget, encoder, decoder, forward, w):
    """Steps of a one-call solver that fit into `budget` milliseconds. encoder and decoder run once; forward:
    one pass of the network, the passes of guidance w run one after the other. Times are whole numbers."""
    passes = 1 if w == 1 else 2
    return max(0, (budget - encoder - decoder) // (passes * forward))


def fixed_parts_forgotten(budget, encoder, decoder, forward, w):
    """Encoder and decoder have to be paid too, before the first step and after the last."""
    return steps_in_budget(budget, 0, 0, forward, w)


def second_pass_forgotten(budget, encoder, decoder, forward, w):
    """Guidance runs the network twice per step."""
    return steps_in_budget(budget, encoder, decoder, forward, 1)


def always_two_passes(budget, encoder, decoder, forward, w):
    """At w = 1 guidance is off: one pass per step is enough."""
    return steps_in_budget(budget, encoder, decoder, forward, 2)


def encoder_in_every_step(budget, encoder, decoder, forward, w):
    """The text encoder runs once per prompt, not once per step."""
    passes = 1 if w == 1 else 2
    return max(0, (budget - decoder) // (passes * forward + encoder))


def rounded_up(budget, encoder, decoder, forward, w):
    """Rounded up: the last of these steps ends after the deadline."""
    passes = 1 if w == 1 else 2
    return max(0, -((encoder + decoder - budget) // (passes * forward)))
