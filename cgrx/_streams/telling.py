"""What a stage tells of itself in words, for `cgrx.explain` and for notebooks."""

import math
from collections.abc import Sequence
from typing import Protocol

from cgrx._model import html
from cgrx._model.picture import Step, picture
from cgrx._streams.about import About


def state(about: About) -> str:
    """What it keeps, and how many keys bound that."""
    if about.state is None:
        return "not told"
    return f"{about.state}{_bound(about.bound, about.beyond)}"


def delay(delay_ms: float | None, note: str) -> str:
    """How long it holds results back."""
    told = "not told" if delay_ms is None else f"{delay_ms / 1000:g} s" if delay_ms else "none"
    return f"{told}, plus {note}" if note else told


class Telling(Protocol):
    """What is needed of a stage: it stands above this module."""

    @property
    def about(self) -> About: ...


def functions_of(stage: Telling) -> tuple[str, ...]:
    """The names of the Python functions in a stage; of a stage that is not of cgrx, its own name first."""
    own = () if type(stage).__module__.startswith("cgrx.") else (_name(type(stage)),)
    return own + tuple(map(_name, stage.about.functions))


def step(code: str, about: About, functions: tuple[str, ...]) -> Step:
    """A stage as a box of the picture."""
    notes = [f"apart by {', '.join(about.keys)}"] if about.keys else []
    if about.state != "none":
        notes.append(f"keeps: {state(about)}")
    if about.delay_ms != 0 or about.delay_note:
        notes.append(f"delay: {delay(about.delay_ms, about.delay_note)}")
    return Step(code, tuple(notes), functions)


def shown(stages: Sequence[Telling]) -> str:
    """Stages in a row as HTML: their code, and a picture."""
    steps = [step(repr(stage), stage.about, functions_of(stage)) for stage in stages]
    lines = "".join(f"    {each.code},\n" for each in steps)
    return html.page(html.code(f"pipeline(\n{lines})"), picture(steps)) if len(steps) > 1 else html.page(picture(steps))


def _name(function: object) -> str:
    name = getattr(function, "__qualname__", None)
    return f"{getattr(function, '__module__', None) or 'builtins'}.{name}" if name else repr(function)


def _bound(keys: float | None, beyond: str) -> str:
    if keys is None or (keys <= 1 and not beyond):
        return ""
    if math.isinf(keys):
        return ", without a bound"
    return f", at most {keys:,} key{'s' if keys > 1 else ''}{f', then {beyond}' if beyond else ''}"
