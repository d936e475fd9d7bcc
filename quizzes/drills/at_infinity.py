"""Take the sample size out of a distance."""

HINTS = (
    "Two equations, two unknowns: each value is the limit plus c over its own n.",
    "Multiply each by its n: then c drops out of the difference.",
    "(m d_m - n d_n) / (m - n).",
)
BOOK = "evaluation#fid"


def cases():
    yield 5_000, 14.0, 10_000, 12.0
    yield 101, 3.7, 997, 1.9
    yield 2_000, 0.31, 503, 0.92


def at_infinity(n, d_n, m, d_m):
    """The limit of a distance whose bias is c / n, from its values d_n at n samples and d_m at m samples
    (Chong & Forsyth 2020, section 3). Numbers, n != m. Returns a number."""
    return (m * d_m - n * d_n) / (m - n)


def mean_of_both(n, d_n, m, d_m):
    """You average the two values. Both are biased upwards: the limit lies below the smaller one."""
    return (d_n + d_m) / 2


def weights_exchanged(n, d_n, m, d_m):
    """Each value is weighed by the other's sample size: the larger set must weigh more."""
    return (n * d_m - m * d_n) / (n - m)


def root_law(n, d_n, m, d_m):
    """You took a bias of c over the root of n. That is how the scatter falls; the bias falls as c / n."""
    return (m**0.5 * d_m - n**0.5 * d_n) / (m**0.5 - n**0.5)


def the_constant(n, d_n, m, d_m):
    """That is c, the strength of the bias. Subtract c / n from the value at n."""
    return (d_n - d_m) * n * m / (m - n)
