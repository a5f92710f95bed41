"""How fast are pipelines: fused stages against other libraries, and against a loop written by hand for the one purpose?

Trades lie in memory: generated ones, and recorded ones where the recordings are present. cgrx and bytewax take them in
batches of 100 or of 1, as frames bring them; the others take single events. Tasks:

- filters: side "buy", and at least 1000 dollars
- bars: open, high, low, close, vwap, volumes and count of every second, by exchange and symbol
- hours: the same of every hour, made of the bars of every minute; beside it those minutes alone
- sliding: count and volume of the last minute, every second, by exchange and symbol
- days: the same bars of a hundred days of India, also by windows of a fixed length that lie where those days do
- sessions: count and volume of bursts that end after 250 ms of silence, by exchange and symbol
- merge: five exchanges, each later than the one before, in the order of event time
- join: the trades of one exchange, each with the latest of four others in its asset as of its time
- fan-out: every trade to 1, 10 and 100 callbacks

A library without windows gets the state machines of `rivals/states.py` in its own idiom: `group_by` and `scan` in
reactivex, `accumulate` in streamz and aiostream. polars and the loops written by hand are the limits; polars has all
trades in columns before the clock starts, which no stream has. The figure is processor time.
"""

import importlib
from typing import Any

from benchmarks._harness.scenario import Case, Contest, Rival, Role, Scenario, Timed
from benchmarks.rivals.tasks import Task, cannot


def _rival(name: str, module: str, role: Role = "rival") -> Rival[Task]:
    def prepare(task: Task, _: Any) -> Contest:
        answers = importlib.import_module(f"benchmarks.rivals.{module}").ANSWERS
        run, shown = answers.get(task.kind, cannot("only where it is in the table"))(task)
        return Timed(run, task.count, shown)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[Task]]:
    many, some = (800, 400) if quick else (20_000, 8_000)
    return [
        Case("two filters, batches of 100", Task("filters", many)),
        Case("two filters, batches of 1", Task("filters", many, batch=1)),
        Case("bars of a second by instrument, batches of 100", Task("bars", many)),
        Case("bars of a second by instrument, batches of 1", Task("bars", many, batch=1)),
        Case("bars of a second by instrument, recorded trades", Task("bars", 400 if quick else 44_219, recorded=True)),
        Case("bars of a day of India by instrument", Task("days", many)),
        Case("hours of minutes by instrument, recorded trades", Task("hours", 400 if quick else 44_219, recorded=True)),
        Case("sliding, a minute every second, by instrument", Task("sliding", some)),
        Case("sessions by instrument", Task("sessions", some)),
        Case("five exchanges in order, batches of 100", Task("merge", some)),
        Case("five exchanges in order, batches of 1", Task("merge", some, batch=1)),
        Case("trades with the latest of others as of their time, batches of 100", Task("join", some)),
        Case("trades with the latest of others as of their time, batches of 1", Task("join", some, batch=1)),
        *(
            Case(f"fan-out to {number}", Task("fan-out", max(500, some // number), subscribers=number))
            for number in (1, 10, 100)
        ),
    ]


SCENARIO = Scenario(
    name="pipelines",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    rivals=(
        _rival("cgrx", "by_cgrx", "ours"),
        _rival("reactivex", "by_reactivex"),
        _rival("streamz", "by_streamz"),
        _rival("aiostream", "by_aiostream"),
        _rival("bytewax", "by_bytewax"),
        _rival("cgrx, fixed lengths", "by_fixed_length", "limit"),
        _rival("cgrx, the minutes alone", "by_minutes", "limit"),
        _rival("by hand", "by_hand", "limit"),
        _rival("polars, in columns", "by_polars", "limit"),
    ),
)
