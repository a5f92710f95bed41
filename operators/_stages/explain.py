"""What a pipeline keeps, how long it delays, and which functions it holds: known before it runs."""

from typing import Any

import attrs

from cgrx._model import html
from cgrx._model.picture import picture
from cgrx._streams.about import About
from cgrx._streams.stream import EventStream, Stage
from cgrx._streams.telling import delay, functions_of, state, step


@attrs.frozen
class Explanation:
    """What the stages of a pipeline keep, and how long they hold events back.

    Prints as a table; a notebook shows it as a picture.

    Examples:
        >>> explanation = cgrx.explain(ops.tumbling("1m"))
        >>> print(explanation)
        1. tumbling("1m")
           state: a partial result for each open window and key
           delay: 4 s, plus the time to the next proof of life
        worst delay: 4 s, plus the time to the next proof of life
        opaque Python: none
    """

    stages: tuple[str, ...]
    """Each stage as code, in order."""
    about: tuple[About, ...]
    """What each of them keeps, and how long it holds events back."""
    functions: tuple[tuple[str, ...], ...]
    """Of each stage the names of the Python functions in it, and its own where it is not of cgrx."""

    @property
    def opaque(self) -> tuple[str, ...]:
        """The names of all those functions and stages: no compiler can see into them."""
        return tuple(dict.fromkeys(name for names in self.functions for name in names))

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
            lines += [
                f"{number}. {stage}",
                f"   state: {state(about)}",
                f"   delay: {delay(about.delay_ms, about.delay_note)}",
            ]
        lines.append(self._worst)
        lines.append(f"opaque Python: {', '.join(self.opaque) or 'none'}")
        return "\n".join(lines)

    @property
    def _worst(self) -> str:
        notes = "; ".join(dict.fromkeys(about.delay_note for about in self.about if about.delay_note))
        return f"worst delay: {delay(self.worst_delay_ms, notes)}"

    def _repr_html_(self) -> str:
        steps = map(step, self.stages, self.about, self.functions)
        return html.page(picture(tuple(steps), self._worst))


def explain(pipeline: Stage[Any, Any] | EventStream[Any]) -> Explanation:
    """The stages of a pipeline: what each keeps, how many keys bound that, the worst delay, and the functions in them.

        print(cgrx.explain(ops.pipeline(ops.side("long"), ops.cascades("3s", min_volume=1e6))))

    Args:
        pipeline: a stage, a pipeline, or a stream. Of a stream the stages behind its source are explained; a `merge`, a
            `share` or a `merge_exchanges` is such a source.

    A stage of your own is explained by its `about`; one that does not override that is "not told".

    Raises:
        TypeError: it is neither a stage nor an EventStream, such as what a reactivex operator gives.

    Examples:
        >>> print(
        ...     cgrx.explain(
        ...         ops.pipeline(
        ...             ops.min_volume(1_000), ops.tumbling("1m", by="exchange")
        ...         )
        ...     )
        ... )
        1. min_volume(1000)
           state: none
           delay: none
        2. tumbling("1m", by="exchange")
           state: a partial result for each open window and key, at most 100,000 keys, then TooManyKeysError
           delay: 4 s, plus the time to the next proof of life
        worst delay: 4 s, plus the time to the next proof of life
        opaque Python: none
    """
    if not isinstance(pipeline, Stage | EventStream):
        raise TypeError(f"explain({pipeline!r}) takes a stage, a pipeline or an EventStream")
    stages = pipeline.stages
    return Explanation(
        stages=tuple(map(repr, stages)),
        about=tuple(stage.about for stage in stages),
        functions=tuple(map(functions_of, stages)),
    )
