"""What all status events share: a feed's are in `status`, those of its subscribers and outputs in `output_status`."""

from cgrx._model import html


class Told:
    """What a notebook shows of a status: its name, when it was, and its sentence."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        at_ms: int = getattr(self, "at_ms")  # noqa: B009 - every status has it, as a field of its own
        return html.page(html.titled(type(self).__name__, f"{html.moment(at_ms)} UTC: {self}"))
