"""What the tests of recordings share: what a feed could say, whatever it is, and equality."""

from collections.abc import Iterable
from typing import Any

import attrs
from hypothesis import strategies as st

from cgrx import (
    Alive,
    Batch,
    Channel,
    ClockSkewed,
    Connected,
    Connecting,
    Disconnected,
    Dropped,
    FuturesTrades,
    Gap,
    HeartbeatError,
    Liquidation,
    LiquidationOrders,
    LiquidationSide,
    MalformedInput,
    NoticeReceived,
    RecordedError,
    Silent,
    Trade,
    TradeSide,
    Watermark,
)
from cgrx._model.events import LATEST_MS
from cgrx._recording.entry import Recorded

LIQUIDATIONS = LiquidationOrders()
TRADES = FuturesTrades("Binance", "BTCUSDT", 10_000)
CHANNELS: tuple[Channel, ...] = (LIQUIDATIONS, TRADES, FuturesTrades("OKX", "BTC-USDT_SWAP", 0.5))

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
_TIMES = st.integers(0, LATEST_MS)
_NUMBERS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
_ERRORS = st.sampled_from([HeartbeatError(10.0), ValueError("no"), RecordedError("AuthError", "refused")])


def _events(channel: Channel) -> st.SearchStrategy[Any]:
    of, sides = (Trade, TradeSide) if isinstance(channel, FuturesTrades) else (Liquidation, LiquidationSide)
    return st.builds(of, _TEXTS, _TEXTS, _TEXTS, st.sampled_from(sides), _NUMBERS, _NUMBERS, _TIMES)


def _said_of(channel: Channel) -> st.SearchStrategy[Any]:
    batches = st.lists(_events(channel), min_size=1, max_size=5).map(tuple)
    return st.one_of(
        st.builds(Batch, st.just(channel), _TIMES, batches),
        st.builds(Alive, _TEXTS, _TIMES),
        st.builds(Gap, st.just(channel), _TIMES, _TIMES, _TEXTS),
        st.builds(Dropped, st.sampled_from([channel, None]), st.integers(1, 2**40), _TEXTS),
        st.builds(Watermark, _TIMES),
    )


_STATUS = st.one_of(
    st.builds(Connecting, _TIMES, st.integers(1, 9)),
    st.builds(Connected, _TIMES),
    st.builds(Disconnected, _TIMES, _ERRORS, st.floats(0, 30)),
    st.builds(Silent, _TIMES, st.sampled_from(CHANNELS), st.none() | _TEXTS),
    st.builds(ClockSkewed, _TIMES, st.integers(-(2**53), 2**53), st.sampled_from(["system", "events"])),
    st.builds(MalformedInput, _TIMES, st.none() | _TEXTS, _TEXTS, _TEXTS, st.text(max_size=8)),
    st.builds(NoticeReceived, _TIMES, st.text(max_size=8)),
)

ENTRIES: st.SearchStrategy[list[Recorded]] = st.lists(
    st.one_of(
        *(st.builds(Recorded, st.just(channel), _said_of(channel)) for channel in CHANNELS),
        st.builds(Recorded, st.none(), _STATUS),
    ),
    max_size=30,
)
"""What a feed could say, and more: times that go back, any text, marks in any order."""


def comparable(entries: Iterable[Recorded]) -> list[Recorded]:
    """The entries with errors as they come back, as plain values."""
    return [attrs.evolve(entry, said=_comparable(entry.said)) for entry in entries]


def _comparable(said: Any) -> Any:
    if isinstance(said, Disconnected):
        error = said.error
        told = (type(error).__name__, str(error))
        if isinstance(error, RecordedError):
            told = (error.type_name, error.message)
        return ("Disconnected", said.at_ms, told, said.retry_in_s)
    return said
