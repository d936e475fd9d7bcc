"""Code drills: ten lines to write, checked against a reference, with the mistake named.

    q_sample = check("q_sample", q_sample)     passes, or says what is wrong and returns the reference
    hint("q_sample", 1)                        the first of three
    solution("q_sample")                       the reference's code

A drill is one file in `quizzes/drills/`. Only files of the installed package are ever run.
"""

from .drill import Drill, load, names
from .grade import Verdict, grade
from .notebook import check, hint, passed, solution

__all__ = ["Drill", "Verdict", "check", "grade", "hint", "load", "names", "passed", "solution"]
