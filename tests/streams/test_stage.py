"""Users' own stages, stages in a row, and what happens when one raises."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import attrs
import pytest
from reactivex import Observable
from reactivex import operators as rx_ops

from cgrx import Alive, Batch, EventStream, FuturesTrades, Liquidation, Mark, Signal, Trade
from cgrx import operators as ops
from cgrx._streams.chain import Chain
from cgrx._streams.running import Elementwise, Step
from cgrx.operators import Running, Stage
from cgrx.operators._stages.pipeline import Pipeline
from cgrx.testing import Timeline, alive, batch, dropped, gap, play, play_signals, play_timeline, trade, watermark
from tests.streams.streaming import Hot, notes_of, raising

T = TypeVar("T")
CHANNEL = FuturesTrades("Binance", "BTCUSDT", 0)
EMPTY: Batch[int] = batch()


@attrs.frozen
class Doubled(Stage[int, int]):
    """Each number twice: a lazy stage, with the time it knows at its end. It does not know 13."""

    def start(self) -> Running[int, int]:
        return _Doubled()


class _Doubled(Running[int, int]):
    def on_batch(self, batch: Batch[int]) -> Iterator[int]:
        for number in batch.events:
            yield number
            if number == 13:
                raise LookupError("13")
            yield number

    def on_end(self) -> Iterable[int]:
        return [self.now_ms]


@attrs.frozen
class Held(Stage[T, T]):
    """Holds events until a mark comes, or the end."""

    def start(self) -> Running[T, T]:
        return _Held()


class _Held(Running[T, T]):
    def __init__(self) -> None:
        self._held: list[T] = []

    def on_batch(self, batch: Batch[T]) -> Iterable[T]:
        self._held.extend(batch.events)
        return ()

    def on_mark(self, mark: Mark) -> Iterable[T]:
        return self.on_end()

    def on_end(self) -> Iterable[T]:
        held, self._held = self._held, []
        return held


@attrs.frozen
class Twice(Stage[Any, Any]):
    """Each event twice, whatever it is."""

    def start(self) -> Running[Any, Any]:
        return _Doubled()


@attrs.frozen
class Failing(Stage[Any, Any]):
    """Raises wherever it is told to, behind one result."""

    on: str
    error: Exception = attrs.field(factory=lambda: LookupError("mine"))

    def start(self) -> Running[Any, Any]:
        return _Failing(self.on, self.error)


class _Failing(Running[Any, Any]):
    def __init__(self, on: str, error: Exception) -> None:
        self._on = on
        self._error = error

    def _give(self, on: str) -> Iterator[str]:
        if on == self._on:
            yield f"before the error in {on}"
            raise self._error

    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        return self._give("batch")

    def on_mark(self, mark: Mark) -> Iterable[Any]:
        return self._give("mark")

    def on_end(self) -> Iterable[Any]:
        return self._give("end")


# --- one stage ------------------------------------------------------------------------------------------------------


def test_results_come_in_a_batch_like_the_one_that_gave_them() -> None:
    assert play_signals(Doubled(), [Batch(CHANNEL, 5, (1, 2))]) == [
        Batch(CHANNEL, 5, (1, 1, 2, 2)),
        Batch(None, 5, (5,)),
    ]


def test_results_come_before_the_mark_that_releases_them() -> None:
    assert play_signals(Held[int](), [batch(1, received="1s"), batch(2, received="2s"), alive("3s"), alive("4s")]) == [
        Batch(None, 3_000, (1, 2)),
        alive("3s"),
        alive("4s"),
    ]


@pytest.mark.parametrize("mark", [alive("3s"), gap("1s", "3s"), dropped(), watermark("3s")])
def test_every_mark_goes_on_behind_its_results(mark: Mark) -> None:
    signals = play_signals(Held[int](), [batch(1, received="2s"), mark])
    assert signals == [Batch(None, 3_000 if isinstance(mark, Alive) else 2_000, (1,)), mark]


def test_what_remains_comes_at_completion_only() -> None:
    assert play_timeline(Held[int](), [batch(1)]) == Timeline((batch(1),))
    failed: Timeline[int] = Timeline((batch(1),), completed=False, error=OSError())
    assert play_timeline(Held[int](), failed).signals == ()
    lasting: Timeline[int] = Timeline((batch(1),), completed=False)
    assert play_timeline(Held[int](), lasting).signals == ()


def test_the_latest_time_is_known_whatever_the_order() -> None:
    batch_at_2: Batch[int] = batch(1, received="2s")
    orders: list[list[Signal[int]]] = [[batch_at_2, alive("9s")], [alive("9s"), batch_at_2]]
    for signals in orders:
        assert play(Doubled(), signals)[-1] == 9_000
    assert play(Doubled(), [alive("1s"), watermark("5s"), gap(0, "9s"), dropped()])[-1] == 1_000


def test_every_subscription_starts_afresh() -> None:
    hot = Hot[int]()
    held = hot.stream.pipe(Held[int]())
    first: list[int] = []
    second: list[int] = []
    held.subscribe(first.append)
    hot.say(batch(1))
    held.subscribe(second.append)
    hot.say(batch(2), alive("1s"))
    assert (first, second) == ([1, 2], [2])


def test_a_stage_stands_among_foreign_operators() -> None:
    """Behind one each item is a batch of one, without marks: what it holds comes at the end."""

    def next_one(number: int) -> int:
        return number + 1

    def chain(source: Observable[int]) -> Observable[int]:
        return source.pipe(rx_ops.map(next_one), Held[int](), rx_ops.skip(1), Doubled(), rx_ops.take(2))

    assert play(chain, [batch(1, 2), alive("1s"), batch(3)]) == [3, 3]


def test_the_contract_must_be_fulfilled() -> None:
    with pytest.raises(NotImplementedError) as caught:
        play(Bare(), [batch(1)])
    assert notes_of(caught.value) == ["raised in Bare() by the event 1"]


@attrs.frozen
class Bare(Stage[Any, Any]):
    """Does nothing yet."""

    def start(self) -> Running[Any, Any]:
        return Running[Any, Any]()


def test_a_stage_takes_an_observable() -> None:
    with pytest.raises(TypeError, match=r"\[1\] is no Observable"):
        ops.side("long")([1])  # type: ignore[arg-type]  # a mistake on purpose


def test_an_unknown_stage_gives_events_of_unknown_type() -> None:
    trades: EventStream[Any] = Hot[Any](None, Trade).stream
    assert trades.pipe(Bare()).event_types is None
    trades.pipe(Bare(), ops.side("long"))


# --- when a stage raises --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_generator_that_raises_loses_nothing(size: int) -> None:
    numbers = [1, 2, 13, 4]
    signals = [batch(*numbers[start : start + size]) for start in range(0, 4, size)]
    played = play_timeline(Doubled(), signals)
    assert played.results == [1, 1, 2, 2, 13]
    assert isinstance(played.error, LookupError)
    where = {1: "the event 13", 2: "one of 2 events, from 13 to 4", 4: "one of 4 events, from 1 to 4"}
    assert notes_of(played.error) == [f"raised in Doubled() by {where[size]}"]


@pytest.mark.parametrize(
    ("on", "signal", "cause"),
    [
        ("batch", batch(1), "by the event 1"),
        ("batch", EMPTY, "by Batch(channel=None, received_ms=0, events=())"),
        ("mark", watermark("1s"), "by Watermark(time_ms=1000)"),
        ("end", watermark("1s"), "at completion"),
    ],
)
@pytest.mark.parametrize("chain", [False, True])
def test_an_error_goes_on_behind_the_results_before_it(on: str, signal: Signal[Any], cause: str, chain: bool) -> None:
    stage = Failing(on)
    played = play_timeline(ops.pipeline(stage, ops.map(str.upper)) if chain else stage, [signal])
    text = f"before the error in {on}"
    assert played.results == [text.upper() if chain else text]
    assert played.error is stage.error
    assert notes_of(stage.error) == [f"raised in {stage!r} {cause}"]


def until(limit: int, error: Exception) -> Callable[[Any], Any]:
    """A function of numbers that raises from `limit` on."""

    def function(number: Any) -> Any:
        if number >= limit:
            raise error
        return number

    return function


@pytest.mark.parametrize("between", [(), (Doubled(),), (Held[int](),), (ops.where(bool),)], ids=str)
@pytest.mark.parametrize("first", [2, 3, 4])
@pytest.mark.parametrize("second", [2, 3, 4])
def test_the_earlier_error_in_the_stream_wins(between: tuple[Stage[Any, Any], ...], first: int, second: int) -> None:
    """Whichever stage raises: the second one's counts where it gets that far, which at the same event it does not."""
    errors = KeyError("first"), KeyError("second")
    pipeline: Any = ops.pipeline
    chain = pipeline(ops.map(until(first, errors[0])), *between, ops.map(until(second, errors[1])))
    played = play_timeline(chain, [batch(1, 2, 3, 4, 5), alive("1s")])
    if between == (Held[int](),):  # what is held when the stream fails is lost
        assert played.results == []
        assert played.error is errors[0]
    else:
        assert sorted(set(played.results)) == list(range(1, min(first, second)))
        assert played.error is (errors[0] if first <= second else errors[1])


def test_an_earlier_error_wins_at_completion_too() -> None:
    late = Failing("end")
    early = KeyError("early")
    played = play_timeline(ops.pipeline(late, ops.map(raising(early))), [alive("1s")])
    assert played.results == []
    assert played.error is early
    assert notes_of(late.error) == ["raised in " + repr(late) + " at completion"]


def test_an_error_behind_what_a_stage_gives_at_the_end() -> None:
    """The row that a window gives at completion makes a function fail: the stream fails, and does not complete."""
    error = KeyError("mine")
    rows = ops.pipeline(ops.tumbling("1m"), ops.map(raising(error)))
    played = play_timeline(rows, [batch(trade())])
    assert (played.results, played.completed, played.error) == ([], False, error)


def test_what_a_stage_gives_at_the_end_goes_through_those_behind_it() -> None:
    """Each ends behind what came from those before it, and those behind a failed one do not end at all."""
    assert play(ops.pipeline(Doubled(), Doubled()), [batch(1, received="3s")]) == [1, 1, 1, 1, 3_000, 3_000, 3_000]
    failing: Stage[Any, Any] = Failing("end")
    assert play_timeline(ops.pipeline(failing, Twice()), [EMPTY]).results == ["before the error in end"] * 2


def test_an_error_from_the_source_passes_through() -> None:
    error = OSError("gone")
    failed: Timeline[int] = Timeline((batch(1),), completed=False, error=error)
    assert play_timeline(ops.pipeline(ops.where(bool, of=int), Doubled()), failed).error is error
    assert notes_of(error) == []


# --- the running form -----------------------------------------------------------------------------------------------


def test_running_forms_can_be_driven_by_hand() -> None:
    """What `Running` promises holds for all of them, so users may build on any stage's running form."""
    above = ops.where(lambda n: n > 1, of=int)
    for stage in (above, ops.pipeline(above, Held[int](), ops.map(lambda n: n, of=int))):
        running = stage.start()
        signals = [*running.on_signal(batch(1, 2)), *running.on_signal(alive("1s")), *running.on_completed()]
        assert next(each for each in signals if isinstance(each, Batch)).events == (2,)
        assert alive("1s") in signals
    failing = ops.map(raising(KeyError("mine"))).start()
    with pytest.raises(KeyError):
        list(failing.on_signal(batch(1)))


def test_neighbours_fuse() -> None:
    """Elementwise stages run as one loop, other stages part them."""
    chain = Chain([ops.where(bool), ops.map(int), Doubled(), ops.where(bool)])
    assert [len(running.steps) if isinstance(running, Elementwise) else 0 for _, running in chain._links] == [2, 0, 1]


@attrs.frozen
class OneByOne(Stage[Any, Any]):
    """Each event in a batch of its own."""

    def start(self) -> Running[Any, Any]:
        return _OneByOne()


class _OneByOne(Running[Any, Any]):
    def on_signal(self, signal: Signal[Any]) -> Iterable[Signal[Any]]:
        if isinstance(signal, Batch):
            return [Batch(signal.channel, signal.received_ms, (event,)) for event in signal.events]
        return [signal]


def test_behind_an_error_a_stage_sees_nothing_of_the_same_signal() -> None:
    """The stage before it has given three batches; the second one fails."""
    seen: list[int] = []

    def divide(number: int) -> float:
        seen.append(number)
        return 1 / number

    timeline = play_timeline(ops.pipeline(OneByOne(), ops.map(divide)), [batch(1, 0, 2)])
    assert isinstance(timeline.error, ZeroDivisionError)
    assert [event for signal in timeline.signals if isinstance(signal, Batch) for event in signal.events] == [1.0]
    assert seen == [1, 0]


def test_a_step_that_fails_as_a_whole_only() -> None:
    """Events are tried one by one; where each works the results stand."""

    def pairs_fail(events: Any) -> list[Any]:
        if len(events) > 1:
            raise LookupError
        return list(events)

    assert Elementwise[int, int](Step("stage", pairs_fail)).produce(batch(1, 2)) == ((batch(1, 2),), None)


# --- pipelines ------------------------------------------------------------------------------------------------------


def test_pipelines_flatten() -> None:
    one, two, three = ops.side("long"), ops.min_volume(1), ops.symbol("X")
    nested: Stage[Any, Any] = ops.pipeline(ops.pipeline(one), ops.pipeline(ops.pipeline(two, three)))
    assert nested == ops.pipeline(one, two, three)
    assert nested.stages == (one, two, three)
    assert repr(nested) == "pipeline(side(\"long\"), min_volume(1), symbol('X'))"


def test_a_chain_says_what_it_is_made_of() -> None:
    source: EventStream[Liquidation] = Hot[Liquidation]().stream
    chain = source.pipe(ops.side("long"), ops.pipeline(ops.min_volume(1), ops.max_volume(2)))
    assert chain.stages == (ops.side("long"), ops.min_volume(1), ops.max_volume(2))
    assert source.stages == ()
    assert ops.side("long").stages == (ops.side("long"),)


def test_own_stages_are_values_in_a_pipeline() -> None:
    made = ops.pipeline(Doubled(), Held[int]())
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(ops.pipeline(Doubled(), Held[int]()))
    assert isinstance(made, Pipeline)


def test_a_pipeline_needs_stages() -> None:
    with pytest.raises(ValueError, match="at least one stage"):
        ops.pipeline()  # type: ignore[call-overload]  # a mistake on purpose
    with pytest.raises(TypeError, match=r"takes stages, not .*stream.pipe"):
        # The type checkers find this mistake too.
        ops.pipeline(ops.side("long"), rx_ops.take(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(TypeError, match="takes stages, not"):
        ops.pipeline(ops.share())
    assert play(ops.pipeline(ops.side("buy")), [batch(trade("sell"), trade("buy"))]) == [trade("buy")]
