"""Text as data and as samples: alphabets, checkable languages, orders of unmasking, editing, the twin.

Processes, losses and the sampler are the core's own: `processes.Categorical`, `losses.masked`, `ancestral`.
What is here makes tokens of text, changes how they are revealed, and judges what comes out.
"""

from .corpora import Prose, drawn, prose
from .edit import blank, held, infill, rewrite
from .languages import LANGUAGES, Language, Verdict, arithmetic, dates
from .logits import cfg, sharpened
from .ratios import RatioDenoiser, log_posterior, log_ratios, score_entropy, sedd
from .remask import revising
from .tokens import END, Alphabet
from .twin import Likelihood, nll, writing, written
from .unmask import ORDERS, entropy_bounded, in_order, quota, until_shown

__all__ = [
    "END", "LANGUAGES", "ORDERS", "Alphabet", "Language", "Likelihood", "Prose", "RatioDenoiser", "Verdict",
    "arithmetic", "blank", "cfg", "dates", "drawn", "entropy_bounded", "held", "in_order", "infill",
    "log_posterior", "log_ratios", "nll", "prose", "quota", "revising", "rewrite", "score_entropy",
    "sedd", "sharpened", "until_shown", "writing", "written",
]  # fmt: skip
