"""One read of the socket, its batches by channel, and one of them on its way through a pipeline, counted."""

from collections.abc import Callable

import attrs
from reactivex import Observable
from reactivex import operators as rx

from cgrx import Batch, Event, Liquidation, Signal
from cgrx import operators as ops
from cgrx._wire.codec import encode_frame
from cgrx._wire.messages import Frame
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Secret, Texts
from cgrx.testing import batch, liquidation, play, trade
from tests.docs.sheet import Box, Sheet

LIQUIDATIONS, TRADES = "liquidationOrders", "futures_trades@Binance_BTCUSDT@0"
ARRIVED: list[Event] = [
    liquidation("long", 400_000.0),
    trade(),
    liquidation("short", 90_000.0),
    liquidation("long", 20_000.0),
    trade(),
    trade(),
    liquidation("long", 700_000.0),
    trade(),
]
STAGES: tuple[ops.Stage[Liquidation, Liquidation], ...] = (ops.side("long"), ops.min_volume(100_000))
CHIP = 53.0


@attrs.define(eq=False)
class Counting(ops.Running[Liquidation, Liquidation]):
    """Passes everything."""

    calls: list[int]

    def on_batch(self, batch: Batch[Liquidation]) -> tuple[Liquidation, ...]:
        self.calls.append(len(batch.events))
        return batch.events


@attrs.frozen
class Counted(ops.Stage[Liquidation, Liquidation]):
    """Passes everything, and notes how many events each call brings."""

    calls: list[int]

    def start(self) -> Counting:
        return Counting(self.calls)


def numbered(events: list[Event]) -> list[Event]:
    """Each happened in the second of its number, so that its number is known wherever it goes."""
    made: list[Event] = []
    for number, event in enumerate(events, 1):
        if isinstance(event, Liquidation):
            made.append(liquidation(event.side, event.volume_usd, time=number))
        else:
            made.append(trade(time=number))
    return made


def number_of(event: Event) -> int:
    return event.time_ms // 1000


def read(events: list[Event]) -> list[Frame]:
    """What the reader of a connection makes of these, a frame each, that came in one read."""
    frames = [encode_frame(LIQUIDATIONS if isinstance(event, Liquidation) else TRADES, [event]) for event in events]
    return [message for message in Reader(Texts(Secret([]))).read(frames) if isinstance(message, Frame)]


def is_any(_: Liquidation) -> bool:
    """A function of a user's."""
    return True


def calls(
    lift: Callable[[Observable[Liquidation]], Observable[Liquidation]], given: Signal[Liquidation], counted: list[int]
) -> str:
    """How a counting stage behind something is called."""
    play(lift, [given])
    events = "event" if sum(counted) == 1 else "events"
    times = "1 call" if len(counted) == 1 else f"{len(counted)} calls"
    return f"{times}, {sum(counted)} {events}"


def draw() -> Sheet:
    """The picture."""
    events = numbered(ARRIVED)
    frames = read(events)
    liquidations = next(frame for frame in frames if frame.channel == LIQUIDATIONS)
    sheet = Sheet(
        "Frames of two channels come in one read by turns; they become one batch of each channel, and a batch passes a"
        " chain of stages whole",
        "; ".join(
            f"the batch of {frame.channel} has the events {', '.join(str(number_of(each)) for each in frame.events)}"
            for frame in frames
        ),
        562,
    )
    sheet.text(8, 20, "one read of the socket: a frame for each event", "head")
    _chips(sheet, events, 30)
    sheet.arrow(220, 66, 220, 90)
    sheet.text(8, 110, "one batch of each channel, in the order of its events", "head")
    down = 120.0
    for frame in frames:
        sheet.text(8, down + 14, frame.channel, "code")
        _chips(sheet, list(frame.events), down + 22)
        down += 66
    sheet.arrow(220, down - 2, 220, down + 22)
    down = _chain(sheet, batch(*_liquidations(liquidations)), down + 42)
    _calls(sheet, batch(*_liquidations(liquidations)), down)
    return sheet


def _liquidations(frame: Frame) -> list[Liquidation]:
    return [event for event in frame.events if isinstance(event, Liquidation)]


def _chips(sheet: Sheet, events: list[Event], down: float) -> None:
    for place, event in enumerate(events):
        box = sheet.box(Box(8 + place * CHIP, down, CHIP - 6, 28))
        (sheet.dot if isinstance(event, Liquidation) else sheet.square)(box.x + 15, down + 14)
        sheet.text(box.x + 27, down + 19, str(number_of(event)), within=box)


def _chain(sheet: Sheet, given: Batch[Liquidation], down: float) -> float:
    sheet.text(8, down, "the batch of the liquidations in a chain: one loop", "head")
    whole = sheet.box(Box(8, down + 10, 424, len(STAGES) * 66 + 10), fill="ground", edge="event")
    for number, stage in enumerate(STAGES, 1):
        top = whole.y + 8 + (number - 1) * 66
        left: list[Event] = list(play(ops.pipeline(*STAGES[:number]), [given]))
        sheet.text(18, top + 14, repr(stage), "code", within=whole)
        _chips_within(sheet, left, top + 24)
    return whole.bottom + 30


def _chips_within(sheet: Sheet, events: list[Event], down: float) -> None:
    for place, event in enumerate(events):
        box = sheet.box(Box(18 + place * CHIP, down, CHIP - 6, 28))
        sheet.dot(box.x + 15, down + 14)
        sheet.text(box.x + 27, down + 19, str(number_of(event)), within=box)


def _calls(sheet: Sheet, given: Batch[Liquidation], down: float) -> None:
    fused, foreign = list[int](), list[int]()
    behind_ours = ops.pipeline(ops.side("long"), Counted(fused))

    def behind_another(stream: Observable[Liquidation]) -> Observable[Liquidation]:
        return stream.pipe(ops.side("long"), rx.filter(is_any), Counted(foreign))

    sheet.text(8, down, f"how the stage behind {ops.side('long')!r} is called", "head")
    for number, (name, said) in enumerate(
        (
            ("next to it", calls(behind_ours, given, fused)),
            ("with rx.filter between them", calls(behind_another, given, foreign)),
        )
    ):
        box = sheet.box(Box(8, down + 10 + number * 34, 424, 28))
        sheet.text(18, box.y + 19, name, within=box)
        sheet.text(422, box.y + 19, said, "code", at="end", within=box)
