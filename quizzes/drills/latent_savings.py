"""Say what a latent saves."""

HINTS = (
    "Three counts: numbers in all, places in the picture, and pairs of places.",
    "Channels count for values only. The pairs are what full self-attention compares.",
    "values: c h w / (k i j), positions: h w / (i j), pairs: the square of positions.",
)
BOOK = "latent#why-latent"


def cases():
    yield from (((3, 35, 21), (5, 7, 3)), ((1, 22, 26), (7, 11, 13)), ((3, 512, 512), (4, 64, 64)))


def latent_savings(pixels, latent):
    """How many times fewer values, positions and pairs of positions. Both: (channels, height, width)."""
    (c, h, w), (k, i, j) = pixels, latent
    positions = h * w / (i * j)
    return positions * c / k, positions, positions**2


def channels_forgotten(pixels, latent):
    """Values count channels too: a colour pixel holds three, a latent place as many as its channels."""
    _, positions, pairs = latent_savings(pixels, latent)
    return positions, positions, pairs


def one_side(pixels, latent):
    """That is the factor of one side. A picture has two, so positions fall by the product of both."""
    side = pixels[1] / latent[1]
    return side * pixels[0] / latent[0], side, side**2


def pairs_of_values(pixels, latent):
    """Attention compares places, not single values: the pairs are the square of the positions."""
    values, positions, _ = latent_savings(pixels, latent)
    return values, positions, values**2


def pairs_like_positions(pixels, latent):
    """Every place looks at every place: the pairs fall by the square."""
    values, positions, _ = latent_savings(pixels, latent)
    return values, positions, positions


def shares(pixels, latent):
    """These are the shares that remain: how many times fewer is the other way round."""
    return tuple(1 / ratio for ratio in latent_savings(pixels, latent))
