"""The quiz's store: time of a durable answer, kills at random moments, concurrent windows, replay, ts-fsrs.

python -m benchmarks.quiz_store [trials]
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from diffusion_lab.quiz import backup, replay
from diffusion_lab.quiz.clock import DAY_MS, MINUTE_MS, Moment
from diffusion_lab.quiz.doctor import WELL, examine
from diffusion_lab.quiz.memory import GOOD, Answer, Memory
from diffusion_lab.quiz.progress import record
from diffusion_lab.quiz.records import Review, stamp
from diffusion_lab.quiz.store import open_store

from .machine import machine, table

START = Moment(1_773_140_400_000, 60)
HISTORIES = Path(__file__).parents[1] / "tests" / "quiz" / "ts_fsrs" / "histories.json"
WRITER = """
import sys
from diffusion_lab.quiz.clock import Moment
from diffusion_lab.quiz.progress import record
from diffusion_lab.quiz.store import open_store
home, name, count, at = sys.argv[1], sys.argv[2], int(sys.argv[3]), Moment(int(sys.argv[4]), 60)
with open_store(at, home) as store:
    for i in range(count):
        record(store, f"{name}-{i % 97}", 3, at)
        print(i, flush=True)
"""


def writer(home: str, name: str, count: int, at: Moment = START) -> subprocess.Popen[str]:
    """A process that answers cards and prints a line after each commit."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, home, name, str(count), str(at.at_ms)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def durable(home: str, answers: int = 500) -> str:
    """Median wall time from the call to the commit on disk, mirror and new state included."""
    with open_store(START, home) as store:
        record(store, "warm", GOOD, START)
        seconds = []
        for i in range(answers):
            begin = time.perf_counter()
            record(store, f"card-{i % 97}", GOOD, START, score={"score": 0.8}, confidence=2, session="bench")
            seconds.append(time.perf_counter() - begin)
    return f"{1e3 * statistics.median(seconds):.1f} ms"


def kills(home: str, trials: int) -> str:
    """SIGKILL of a process that starts a new day and answers: acknowledged answers lost, stores damaged."""
    draw, lost, damaged, acknowledged, before = random.Random(0), 0, 0, 0, 0
    for trial in range(trials):
        at = START._replace(at_ms=START.at_ms + trial * DAY_MS)
        with writer(home, f"t{trial}", 100_000, at) as process:
            time.sleep(draw.uniform(0.05, 0.45))  # the first answer comes after about 0.15 s
            process.kill()
            told = len(process.communicate()[0].splitlines())
        # The mirror is written first: it may hold one answer more, which was never acknowledged.
        findings = [finding for finding in examine(at, home) if "The mirror has answers" not in finding.text]
        damaged += any(finding.grade != WELL for finding in findings)
        with open_store(at, home) as store:
            saved = len(store.rows("review"))
        lost += max(0, told - (saved - before))
        acknowledged, before = acknowledged + told, saved
    return f"{trials} kills, {acknowledged} answers acknowledged: {lost} lost, {damaged} stores damaged"


def together(home: str, windows: int = 4, answers: int = 200) -> str:
    """Several processes answering on one store at once."""
    processes = [writer(home, f"w{i}", answers) for i in range(windows)]
    errors = [process.communicate()[1] for process in processes]
    with open_store(START, home) as store:
        saved = len(store.rows("review"))
        whole = backup.mirror_complete(store.con, store.files)
    return f"{saved} of {windows * answers} saved, mirror whole: {whole}, errors: {sum(map(bool, errors))}"


def replays(home: str, reviews: int = 20_000, cards: int = 200) -> str:
    """All states from the log alone, as after an import; process time."""
    draw = random.Random(0)
    with open_store(START, home) as store:
        model = store.memory().params_hash
        rows = []
        for i in range(reviews):
            at = START._replace(at_ms=START.at_ms + i * 20 * MINUTE_MS)
            grade = draw.choice([1, 2, 3, 3, 3, 4])
            rows.append(
                Review(
                    *stamp(at), f"card-{draw.randrange(cards)}", grade, "{}", 2, 9000, "today", None, model
                )
            )
        store.merge(rows)
        begin = time.process_time()
        replay.rebuild(store.con, store.memory())
        return f"{reviews} reviews of {cards} cards in {time.process_time() - begin:.2f} s"


def agreement() -> str:
    """Largest relative difference of stability and difficulty to ts-fsrs on its 1000 stored histories."""
    worst, count = 0.0, 0
    for weights in json.loads(HISTORIES.read_text()):
        memory = Memory(weights["weights"])
        for history in weights["histories"]:
            day, answers = 20_000, []
            for gap, grade in zip(history["reviews"][::2], history["reviews"][1::2]):
                day += gap
                answers.append(Answer(grade, day, "card"))
            state, end = memory.replay(answers), history["end"]
            worst = max(worst, abs(state.stability / end[0] - 1), abs(state.difficulty / end[1] - 1))
            count += 1
    return f"{count} histories, largest relative difference {worst:.1e}"


def main(trials: int) -> None:
    """Prints the table."""
    parts: dict[str, Callable[[str], str]] = {
        "durable answer, median": durable,
        "SIGKILL at a random moment": lambda home: kills(home, trials),
        "4 processes x 200 answers": together,
        "replay": replays,
        "agreement with ts-fsrs": lambda home: agreement(),
    }
    rows = []
    for name, part in parts.items():
        with tempfile.TemporaryDirectory() as home:
            rows.append([name, part(home)])
    print(machine(), table(["quiz store", "measured"], rows), sep="\n\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
