"""Tilt and noise, in both orders."""

HINTS = (
    "Noise first: what are the variances of both laws at this level? Then mix the two scores.",
    "The score of N(0, s) is -x / s, so guidance mixes precisions: (1 - w) / s_all + w / s_class.",
    "Tilt first: variance 1 / (1 - w + w / v). Noise then turns any variance V into abar V + 1 - abar.",
)
BOOK = "guidance#what-does-cfg-sample"


def cases():
    yield from ((0.25, 4.0, 0.5), (1 / 9, 2.0, 0.36), (0.5, 7.5, 0.9), (0.25, 1.0, 0.5))


def two_tilts(v, w, abar):
    """All data ~ N(0, 1), the class ~ N(0, v), the path variance preserving. Returns two variances at abar:
    of the law whose score guidance follows, and of the tilted clean law after noising."""
    guided = 1 / (1 - w + w / (abar * v + 1 - abar))
    true = abar / (1 - w + w / v) + 1 - abar
    return guided, true


def exchanged(v, w, abar):
    """The two are exchanged: guidance mixes the scores of laws that were noised first."""
    return two_tilts(v, w, abar)[::-1]


def variances_mixed(v, w, abar):
    """You mix variances. Scores add, and the score of a Gaussian is -x over its variance: mix precisions."""
    return 1 - w + w * (abar * v + 1 - abar), abar * (1 - w + w * v) + 1 - abar


def noise_left_out(v, w, abar):
    """The tilted law is scaled by abar, but the noise that comes in, 1 - abar, is left out."""
    guided, true = two_tilts(v, w, abar)
    return guided, true - (1 - abar)


def class_not_noised(v, w, abar):
    """The guided law mixes clean laws: at this noise level the class has variance abar v + 1 - abar."""
    return 1 / (1 - w + w / v), two_tilts(v, w, abar)[1]


def other_convention(v, w, abar):
    """That is g, not w: here w = 1 must give back the class itself."""
    return two_tilts(v, 1 + w, abar)
