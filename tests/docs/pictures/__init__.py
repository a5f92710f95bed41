"""The pictures of the concepts and the tutorial: each is computed by running the real pipeline, and drawn on a sheet.

`python -m tests.docs.pages` writes them into docs/images; a page asks for one by `<!-- picture: event-time -->`.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.docs.pictures import batches, bounds, clock, event_time, gaps, proof_of_life, shards, signals, waits
from tests.docs.sheet import Sheet
from tests.house import plan

PICTURES: dict[str, Callable[[], Sheet]] = {
    "signals": signals.draw,
    "event-time": event_time.draw,
    "proof-of-life": proof_of_life.draw,
    "gaps": gaps.draw,
    "batches": batches.draw,
    "bounds": bounds.draw,
    "clock": clock.draw,
    "shards": shards.draw,
    "waits": waits.draw,
}


def path_of(name: str) -> Path:
    """Its file."""
    return plan.ROOT / "docs" / "images" / f"concepts-{name}.svg"


@cache
def drawn(name: str) -> Sheet:
    """The picture of that name."""
    return PICTURES[name]()


def images(name: str) -> str:
    """The picture on a page in docs/concepts or docs/tutorial: as it is on a light ground, and on a dark one."""
    where = f"../images/{path_of(name).name}"
    return "\n".join(f"![{drawn(name).title}.]({where}#only-{scheme})" for scheme in ("light", "dark"))
