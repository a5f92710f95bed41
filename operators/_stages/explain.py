"""What a pipeline keeps, how long it delays, and which functions it holds: known before it runs."""

import math
from typing import Any

import attrs

from cgrx._streams.about import About
from cgrx._streams.stream import EventStream, Stage


@attrs.frozen
class Explanation:
    """What the stages of a pipeline keep, and how long they hold events back. Prints as a table."""

    stages: tuple[str, ...]
    """Each stage as code, in order."""
    about: tuple[About, ...]
    """What each of them keeps, and how long it holds events back."""
    opaque: tuple[str, ...]
    """The names of the Python functions, and of the stages that are not of cgrx: no compiler can see into them."""

    @property
    def worst_delay_ms(self) -> float | None:
        """The longest that a result waits behind the event that completes it, of all stages together.

        Milliseconds on the stream's own clock; None where the delay of a stage is not known.
        """
        delays = [each.delay_ms for each in self.about if each.delay_ms is not None]
        return sum(delays) if len(delays) == len(self.about) else None

    def __str__(self) -> str:
        lines: list[str] = []
        for number, (stage, about) in enumerate(zip(self.stages, self.about, strict=True), 1):
            state = "not told" if about.state is None else about.state
            lines += [
                f"{number}. {stage}",
                f"   state: {state}{_bound(about.bound, about.beyond)}",
                f"   delay: {_delay(about.delay_ms, about.delay_note)}",
            ]
        notes = "; ".join(dict.fromkeys(about.delay_note for about in self.about if about.delay_note))
        lines.append(f"worst delay: {_delay(self.worst_delay_ms, notes)}")
        lines.append(f"opaque Python: {', '.join(self.opaque) or 'none'}")
        return "\n".join(lines)


def explain(pipeline: Stage[Any, Any] | EventStream[Any]) -> Explanation:
    """The stages of a pipeline: what each keeps, how many keys bound that, the worst delay, and the functions in them.

        print(cgrx.explain(ops.pipeline(ops.side("long"), ops.cascades("3s", min_volume=1e6))))

    Args:
        pipeline: a stage, a pipeline, or a stream. Of a stream the stages behind its source are explained; a `merge`, a
            `share` or a `merge_exchanges` is such a source.

    A stage of your own is explained by its `about`; one that does not override that is "not told".

    Raises:
        TypeError: it is neither a stage nor an EventStream, such as what a reactivex operator gives.
    """
    if not isinstance(pipeline, Stage | EventStream):
        raise TypeError(f"explain({pipeline!r}) takes a stage, a pipeline or an EventStream")
    stages = pipeline.stages
    return Explanation(
        stages=tuple(map(repr, stages)),
        about=tuple(stage.about for stage in stages),
        opaque=tuple(dict.fromkeys(name for stage in stages for name in _opaque(stage))),
    )


def _opaque(stage: Stage[Any, Any]) -> list[str]:
    own = [] if type(stage).__module__.startswith("cgrx.") else [_name(type(stage))]
    return own + [_name(function) for function in stage.about.functions]


def _name(function: object) -> str:
    name = getattr(function, "__qualname__", None)
    return f"{getattr(function, '__module__', None) or 'builtins'}.{name}" if name else repr(function)


def _bound(keys: float | None, beyond: str) -> str:
    if keys is None or (keys <= 1 and not beyond):
        return ""
    if math.isinf(keys):
        return ", without a bound"
    return f", at most {keys:,} key{'s' if keys > 1 else ''}{f', then {beyond}' if beyond else ''}"


def _delay(delay_ms: float | None, note: str) -> str:
    told = "not told" if delay_ms is None else f"{delay_ms / 1000:g} s" if delay_ms else "none"
    return f"{told}, plus {note}" if note else told
