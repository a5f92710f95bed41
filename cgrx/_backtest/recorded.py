"""What a recording says of its channels, as columns; as a replay would say it."""

from typing import TYPE_CHECKING, Any, Protocol

from cgrx._backtest.arrivals import Inexpressible, Loss, Told
from cgrx._model.channels import Channel
from cgrx._model.signals import Dropped, Gap

if TYPE_CHECKING:
    import polars as pl

_MARK = ("seq", "kind", "channel", "received_ms", "start_ms", "end_ms", "count", "text")
"""The columns of marks."""


class Table(Protocol):
    """A recording, as far as columns need it."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it holds."""
        ...

    def to_polars(self) -> "pl.LazyFrame":
        """All rows; docs/recording.md names the columns."""
        ...


class RecordedSource:
    """The channels of one recording. State: its marks, and what was asked for."""

    def __init__(self, recording: Table) -> None:
        import polars as pl

        self._table = recording.to_polars()
        self._channels = recording.channels
        # Marks have one of these, and files skip what is null: much cheaper than to compare all kinds.
        marks = self._table.filter(pl.col("end_ms").is_not_null() | pl.col("count").is_not_null())
        self._marks = marks.select(_MARK).collect()
        self._unreadable = _unreadable(self._marks.filter(pl.col("kind") == "unreadable"))
        self._told: dict[Channel, Told] = {}

    def __call__(self, channel: Channel) -> Told:
        """What it says of a channel; the same marks, as objects, each time.

        Raises:
            ValueError: it does not hold this channel.
        """
        found = self._told.get(channel)
        if found is None:
            if channel not in self._channels:
                held = ", ".join(each.name for each in self._channels) or "none"
                raise ValueError(f"{channel.name} is not recorded; the channels of this recording are {held}")
            found = self._told[channel] = self._tell(channel)
        return found

    def _tell(self, channel: Channel) -> Told:
        import polars as pl

        events = self._table.filter(pl.col("price").is_not_null())
        if len(self._channels) > 1:
            events = events.filter(pl.col("channel") == channel.name)
        marks = self._marks.filter(pl.col("channel") == channel.name)
        if (marks["kind"] == "watermark").any():
            raise Inexpressible(f"{channel.name} holds watermarks, which a feed does not say")
        # The connections of one feed are one origin.
        proofs = marks.filter(pl.col("kind") == "alive").select("seq", at_ms="end_ms", origin=pl.lit(""))
        return Told((channel,), events, proofs, self._losses(channel, marks))

    def _losses(self, channel: Channel, marks: "pl.DataFrame") -> tuple[Loss, ...]:
        import polars as pl

        # A gap from 0 of a channel that was heard before is one from then on.
        heard_ms = pl.when(pl.col("kind").is_in(("alive", "gap"))).then("received_ms").forward_fill().shift()
        rows = marks.with_columns(heard_ms=heard_ms).filter(pl.col("kind") != "alive")
        return tuple(self._loss(channel, row) for row in rows.iter_rows(named=True))

    def _loss(self, channel: Channel, row: dict[str, Any]) -> Loss:
        match row["kind"]:
            case "gap":
                start_ms, end_ms, heard_ms = row["start_ms"], row["end_ms"], row["heard_ms"]
                since_ms = min(heard_ms, end_ms) if start_ms == 0 and heard_ms is not None else start_ms
                return Loss(row["seq"], Gap(channel, since_ms, end_ms, row["text"]))
            case "dropped":
                return Loss(row["seq"], Dropped(channel, row["count"], row["text"]))
            case _:
                return Loss(row["seq"], self._unreadable[row["seq"]])


def _unreadable(rows: "pl.DataFrame") -> dict[int, Dropped]:
    """The losses that were charged to every channel: one object for each, so that a union counts it once."""
    found: dict[int, Dropped] = {}
    loss = Dropped(None, 0, "")
    charged: set[str] = set()
    for seq, name, count, text in rows.select("seq", "channel", "count", "text").iter_rows():
        said = Dropped(None, count, text)
        if said != loss or name in charged:
            loss = said
            charged.clear()
        charged.add(name)
        found[seq] = loss
    return found
