"""The one task that delivers: takes a batch, writes it until it is acknowledged or refused, takes the next."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import trio

from cgrx._delivery.backlog import Backlog
from cgrx._delivery.dead_letters import DeadLetters
from cgrx._delivery.options import Terms
from cgrx._delivery.waiting import NOTHING
from cgrx._delivery.writer import Writer, as_sink_error
from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import (
    SINK_CLOSE_S,
    SINK_OPEN_S,
    SINK_RETRY_AFTER_MOST_S,
    SINK_RETRY_FIRST_S,
    SINK_RETRY_MOST_S,
    SINK_WRITE_S,
)
from cgrx._model.output_status import DeliveryHeld, DeliveryResumed
from cgrx._model.status import Status

_HURRIED_S = 1.0
"""While somebody waits for the delivery, no delay before another attempt is longer."""

Tell = Callable[[Callable[[int], Status]], object]
"""Reports a status, made of the time now in milliseconds."""


class Courier:
    """Delivers what a backlog holds to one writer.

    Args:
        writer: the system.
        types: see `Writer.open`.
        terms: how large batches are, and how long they wait.
        backlog: what waits.
        letters: where refused items go; None: they are counted and told alone.
        tell: reports statuses.
        on_loss: called with a number of items that were refused, and with the reason.
    """

    def __init__(
        self,
        writer: Writer,
        types: frozenset[type],
        terms: Terms,
        backlog: Backlog,
        letters: DeadLetters | None,
        tell: Tell,
        on_loss: Callable[[int, str], object],
    ) -> None:
        self._writer = writer
        self._types = types
        self._terms = terms
        self._backlog = backlog
        self._accounts = backlog.accounts
        self._letters = letters
        self._tell = tell
        self._on_loss = on_loss
        self._scope = trio.CancelScope()
        self._finished = trio.Event()
        self._open = False
        self._wanted = 1
        self._wake = trio.Event()
        self._hurries = 0
        self._hurried = trio.Event()
        self._settled = trio.Condition()
        self._flying: tuple[int, list[Any]] = NOTHING, []

    # In the task that enters and leaves the sink

    async def enter(self) -> None:
        """Connect for the first time.

        Raises:
            SinkRefusedError: the system refuses the user, or the shape of what will come.
        """
        try:
            await self._connect()
        except SinkUnavailableError as error:
            await self._disconnect()
            self._hold(error, 0.0)
        except BaseException:
            await self._disconnect()
            raise

    async def flush(self) -> None:
        """Hurry, and wait until everything that has come so far is delivered, superseded, refused or given up."""
        number = self._backlog.number
        self._hurries += 1
        self._hurried.set()
        self._wake.set()
        try:
            async with self._settled:
                while min(self._backlog.oldest, self._flying[0]) <= number:
                    await self._settled.wait()
        finally:
            self._hurries -= 1
            if not self._hurries:
                self._hurried = trio.Event()

    async def stop(self) -> None:
        """End the delivery, in the midst of a batch if need be, which then waits again. Closes the writer."""
        self._scope.cancel()
        await self._finished.wait()
        first, batch = self._flying
        if batch:
            self._backlog.put_back(first, batch)
            self._accounts.in_flight = 0
            self._flying = NOTHING, []
        await self._disconnect()

    # On the feed's path

    def came(self, waiting: int) -> None:
        """Something has been put into the backlog, where so many wait now."""
        if waiting >= self._wanted:
            self._wake.set()

    # In the task of its own

    async def run(self) -> None:
        """Deliver until stopped."""
        try:
            with self._scope:
                while True:
                    await self._gather()
                    self._flying = await self._backlog.take(self._terms.batch)
                    self._accounts.in_flight = len(self._flying[1])
                    await self._deliver(self._flying[1])
                    self._flying = NOTHING, []
                    await self._backlog.settle()
                    async with self._settled:
                        self._settled.notify_all()
        finally:
            self._finished.set()

    async def _gather(self) -> None:
        """Wait for an item, and then for a whole batch, or as long as an item may wait."""
        await self._until(1)
        with trio.move_on_after(self._terms.every_s):
            await self._until(self._terms.batch)

    async def _until(self, wanted: int) -> None:
        while not (len(self._backlog) >= wanted or (self._hurried.is_set() and len(self._backlog))):
            self._wanted, self._wake = wanted, trio.Event()
            await self._wake.wait()

    async def _deliver(self, batch: list[Any]) -> None:
        """Write items until they are acknowledged or refused."""
        attempt = 0
        while True:
            try:
                await self._connect()
                await self._write(batch)
                break
            except SinkDataError as error:
                if len(batch) == 1:
                    await self._bury(batch[0], error)
                else:
                    half = len(batch) // 2
                    await self._deliver(batch[:half])
                    await self._deliver(batch[half:])
                return
            except (SinkUnavailableError, SinkRefusedError) as error:
                self._accounts.retries += 1
                await self._wait_for_another_attempt(error, attempt)
                attempt += 1
        accounts = self._accounts
        accounts.delivered += len(batch)
        accounts.in_flight -= len(batch)
        accounts.batches += 1
        self._flying = self._flying[0], self._flying[1][len(batch) :]
        self._resumed()

    async def _connect(self) -> None:
        if self._open:
            return
        try:
            with trio.fail_after(SINK_OPEN_S):
                await self._writer.open(self._types)
        except trio.TooSlowError:
            raise SinkUnavailableError(f"no connection within {SINK_OPEN_S:g} s") from None
        except Exception as error:
            raised = as_sink_error(error)
            if isinstance(raised, SinkDataError):  # there is no data yet: what does not fit is an argument
                raise SinkRefusedError(raised.reason) from error
            raise raised  # noqa: B904 - it is the same, or has it as its cause
        self._open = True

    async def _write(self, batch: list[Any]) -> None:
        try:
            with trio.fail_after(SINK_WRITE_S):
                await self._writer.write(batch)
        except trio.TooSlowError:
            raise SinkUnavailableError(f"no acknowledgement within {SINK_WRITE_S:g} s") from None
        except Exception as error:  # noqa: BLE001 - as above
            raise as_sink_error(error)  # noqa: B904 - as above

    async def _disconnect(self) -> None:
        self._open = False
        # The connection is given up, whatever its end was.
        with trio.CancelScope(shield=True), trio.move_on_after(SINK_CLOSE_S), suppress(Exception):
            await self._writer.close()

    async def _bury(self, item: Any, error: SinkDataError) -> None:
        """An item is refused, alone."""
        reason = str(error)
        letters = self._letters
        if letters is not None:
            try:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(letters.write, self._writer.name, reason, item)
            except OSError as failed:
                reason = f"{reason}; and it is not in the dead-letter file: {failed}"
        self._accounts.dead += 1
        self._accounts.in_flight -= 1
        self._flying = self._flying[0], self._flying[1][1:]
        self._on_loss(1, reason)
        self._resumed()

    async def _wait_for_another_attempt(self, error: SinkUnavailableError | SinkRefusedError, attempt: int) -> None:
        asked_s = error.retry_after_s if isinstance(error, SinkUnavailableError) else None
        if asked_s is not None:
            delay_s = min(asked_s, SINK_RETRY_AFTER_MOST_S)
            self._hold(error, delay_s)
            await trio.sleep(delay_s)  # whoever waits for the delivery: the system has asked for it
            return
        await self._disconnect()
        delay_s = random.uniform(0, min(SINK_RETRY_MOST_S, SINK_RETRY_FIRST_S * 2.0 ** min(attempt, 30)))
        self._hold(error, delay_s)
        if self._hurried.is_set():
            await trio.sleep(min(delay_s, _HURRIED_S))
        else:
            with trio.move_on_after(delay_s):
                await self._hurried.wait()

    def _hold(self, error: Exception, delay_s: float) -> None:
        before, self._accounts.error = self._accounts.error, error
        if before is None or str(before) != str(error):
            self._tell(lambda at_ms: DeliveryHeld(at_ms, self._writer.name, error, delay_s))

    def _resumed(self) -> None:
        if self._accounts.error is not None:
            self._accounts.error = None
            self._tell(lambda at_ms: DeliveryResumed(at_ms, self._writer.name))
