"""The errors of a pipeline and its host: a bound that is reached, a thread or a loop that is the wrong one."""

from cgrx._model.errors import CgrxError


class BufferOverflowError(CgrxError):
    """A `stream(overflow="error")` could not take more. It ends that stream alone.

    Cause:
        Its consumer is slower than the feed for longer than the buffer lasts.

    Remedy:
        Consume faster, raise `buffer=`, filter before the stream, or choose another `overflow=`: `"block"` loses
        nothing, the others lose and count it.

    Attributes:
        buffer (float): how many events may wait.
        dropped (int): how many did not fit.

    Examples:
        >>> error = cgrx.BufferOverflowError(1000, 12)
        >>> print(error.dropped, str(error)[:48])
        12 the buffer of 1000 events is full and 12 more ca
    """

    def __init__(self, buffer: float, dropped: int) -> None:
        super().__init__(
            f"the buffer of {buffer} events is full and {dropped} more came: consume faster, raise `buffer`,"
            ' or choose overflow="drop_oldest", "drop_newest", "latest" or "block"'
        )
        self.buffer = buffer
        self.dropped = dropped


class BackpressureError(CgrxError):
    """A `stream(overflow="block")` held the socket up for longer than its `block_timeout`. It ends that stream alone.

    Cause:
        Its consumer has stalled: it waits for something else, or has stopped to take events.

    Remedy:
        Find what the consumer waits for; give slow work a task or a thread of its own. Raise `block_timeout=` where so
        long a pause is meant.

    Attributes:
        timeout_s (float): how long the stream was full, in seconds.

    Examples:
        >>> print(cgrx.BackpressureError(5.0))
        a blocking stream was full for 5 s: its consumer has stalled
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"a blocking stream was full for {timeout_s:g} s: its consumer has stalled")
        self.timeout_s = timeout_s


class ThreadError(CgrxError):
    """An object that belongs to one thread was used from another, or through one.

    Cause:
        A feed and its streams belong to the thread of their loop. A worker thread called them, or a scheduler of
        reactivex would have run them in a thread of its own.

    Remedy:
        In another thread use `trio.from_thread.run_sync(...)`, or a feed of `cgrx.sync`. Pass
        `scheduler=feed.scheduler` to timed operators of reactivex.

    Examples:
        >>> import threading
        >>> def run():
        ...     try:
        ...         cgrx.run(print)
        ...     except cgrx.ThreadError as error:
        ...         print(error)
        >>> thread = threading.Thread(target=run)
        >>> thread.start(), thread.join()
        cgrx.run() listens to signals, which Python gives to the main thread alone: in another one use trio.run(main),
        or cgrx.sync without any loop
        (None, None)
    """


class NotInTrioError(CgrxError):
    """What needs trio was called outside its tasks.

    Cause:
        `cgrx.connect` and its like were called where no loop runs, or where asyncio does, as in Jupyter and FastAPI.

    Remedy:
        Under asyncio use `cgrx.aio`, without a loop use `cgrx.sync`, or start trio by `cgrx.run(main)`.

    Examples:
        >>> cgrx.connect(url="ws://127.0.0.1:8765/ws-api")
        Traceback (most recent call last):
            ...
        cgrx._model.use_errors.NotInTrioError: connect() needs a running trio loop: start one with cgrx.run(main), or
        use cgrx.sync without
    """


class NotInAsyncioError(CgrxError):
    """A function of `cgrx.aio` was called where no asyncio loop runs.

    Cause:
        It was called outside a coroutine, or in a task of trio.

    Remedy:
        Start the loop by `asyncio.run(main())`. In trio use the function of `cgrx` with the same name, without a loop
        that of `cgrx.sync`.

    Examples:
        >>> async with cgrx.aio.connect(url="ws://127.0.0.1:8765/ws-api") as feed:
        ...     ...
        Traceback (most recent call last):
            ...
        cgrx._model.use_errors.NotInAsyncioError: cgrx.aio.connect() needs asyncio, and trio runs here: use
        cgrx.connect()
    """


class InTrioError(CgrxError):
    """A function that blocks was called inside a running trio loop, which would stand still meanwhile.

    Cause:
        `cgrx.backtest`, `cgrx.sweep` or a function of `cgrx.sync` was called in a task.

    Remedy:
        Give it a thread, as the message shows: `await trio.to_thread.run_sync(cgrx.backtest, ...)`. In place of
        `cgrx.sync` use `cgrx`.

    Examples:
        >>> import trio
        >>> async def main():
        ...     cgrx.sync.connect(url="ws://127.0.0.1:8765/ws-api")
        >>> trio.run(main)
        Traceback (most recent call last):
            ...
        cgrx._model.use_errors.InTrioError: cgrx.sync.connect() blocks, and trio runs here: use cgrx.connect()
    """


class TooManyKeysError(CgrxError):
    """A window or a stage that keeps state by key had `max_keys` keys open, and one more came.

    Cause:
        `by=` has more values than was meant, such as every symbol of every exchange; or a server sends made-up names.

    Remedy:
        Choose a coarser `by=`, filter the events before, or raise `max_keys=`.

    Attributes:
        max_keys (int): how many keys may be open.
        key (tuple[object, ...]): the fields of the one that was too many.

    Examples:
        >>> two = batch(trade(symbol="BTCUSDT"), trade(symbol="ETHUSDT"))
        >>> try:
        ...     play(ops.tumbling("1m", by="symbol", max_keys=1), [two])
        ... except cgrx.TooManyKeysError as error:
        ...     print(error.key)
        ('ETHUSDT',)
    """

    def __init__(self, max_keys: int, key: tuple[object, ...]) -> None:
        super().__init__(
            f"{max_keys} keys are open and {key!r} is one more: choose a coarser `by`, filter the events before,"
            " or raise `max_keys`"
        )
        self.max_keys = max_keys
        self.key = key


class StateError(CgrxError):
    """The state of a pipeline cannot be put away or taken up.

    Cause:
        It is damaged, of another pipeline or of another format; or a part of the pipeline keeps what cannot be pickled.

    Remedy:
        Build the pipeline that the state is of, or begin anew in another folder. A stage of your own gives its running
        form `state` and `take_up`.

    Attributes:
        reason (str): what is wrong.
        found (str | None): what the state is of, where that is something else; else None.
        expected (str | None): what was asked for then; else None.

    Examples:
        >>> try:
        ...     cgrx.Shard.restore(
        ...         lambda feed: feed.liquidations().pipe(ops.min_volume(1_000)),
        ...         b"no state",
        ...     )
        ... except cgrx.StateError as error:
        ...     print(error.reason)
        these 8 bytes are no state of a pipeline: they do not begin as one
    """

    def __init__(self, reason: str, found: str | None = None, expected: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found
        self.expected = expected
