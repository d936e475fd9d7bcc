"""Days, times, grades and shares in words, as the screens print them."""

from diffusion_lab.quiz.clock import date_of

GRADES = {1: "Again", 2: "Hard", 3: "Good", 4: "Easy"}
LEVELS = {1: "warm-up", 2: "standard", 3: "senior", 4: "staff"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date(day: int) -> str:
    """A study day as Thu 14 Jan 2027, in English whatever the locale."""
    when = date_of(day)
    return f"{DAYS[when.weekday()]} {when.day} {MONTHS[when.month - 1]} {when.year}"


def due(day: int, today: int) -> str:
    """When a card comes again: later today, tomorrow, in 5 days (Thu 14 Jan)."""
    ahead = day - today
    if ahead <= 1:
        return "later today" if ahead <= 0 else "tomorrow"
    year = "" if date_of(day).year == date_of(today).year else f" {date_of(day).year}"
    return f"in {ahead} days ({date(day)[:-5]}{year})"


def clock(seconds: int | float) -> str:
    """Minutes and seconds as on a stopwatch: 1:05."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"


def limit(seconds: int) -> str:
    """The time of a question: 45 s, 1:30, 2 min."""
    return minutes(seconds) if seconds < 60 or seconds % 60 == 0 else clock(seconds)


def minutes(seconds: int | float) -> str:
    """A time to plan with: 45 s, 2 min, 1 h 10 min."""
    if seconds < 60:
        return f"{round(seconds)} s"
    whole = round(seconds / 60)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min".replace(" 0 min", "")


def count(number: int, what: str) -> str:
    """1 card, 2 cards."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def percent(share: int | float | None) -> str:
    """A share as a percentage, or a dash where there is none."""
    return "-" if share is None else f"{100 * share:.0f} %"


def bar(share: int | float, room: int) -> str:
    """A share as a bar of blocks."""
    full = round(max(0.0, min(1.0, share)) * room)
    return "█" * full + "░" * (room - full)
