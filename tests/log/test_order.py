"""Several partitions in one order, by time of receipt, as far as it can be known."""

from collections.abc import Sequence
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Alive, Channel, LiquidationOrders, Record, RecordError
from cgrx._log.order import MOST, PATIENCE_S, Order

NAME = LiquidationOrders().name


@attrs.frozen
class Message:
    """As the client gives them."""

    number: int
    place: int
    the_value: bytes
    the_key: bytes | None = NAME.encode()

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.place

    def topic(self) -> str:
        return "trades"

    def key(self) -> bytes | None:
        return self.the_key

    def value(self) -> bytes:
        return self.the_value


def message(partition: int, offset: int, received_ms: int) -> Message:
    return Message(partition, offset, Record(NAME, "a", offset, received_ms, Alive("a", received_ms)).encode())


def order(*partitions: int, start_ms: int = 0, wanted: bool = True) -> tuple[Order, list[RecordError]]:
    damaged: list[RecordError] = []

    def is_wanted(_: Channel) -> bool:
        return wanted

    return Order(partitions, start_ms, is_wanted, lambda error, _: damaged.append(error)), damaged


def taken(found: Order, now: float = 0.0) -> list[int]:
    """The times of all that it gives now."""
    times: list[int] = []
    while (placed := found.next(now)) is not None:
        times.append(placed.record.received_ms)
    return times


@given(st.lists(st.lists(st.integers(0, 1_000), max_size=20).map(sorted), min_size=1, max_size=4), st.data())
def test_partitions_that_are_in_order_come_in_one_order(logs: Sequence[list[int]], data: st.DataObject) -> None:
    """However they are read, as long as none is read to its end before it is there."""
    found, _ = order(*range(len(logs)))
    given_: list[int] = []
    rest = [[message(number, offset, ms) for offset, ms in enumerate(log)] for number, log in enumerate(logs)]
    while any(rest):
        number = data.draw(st.sampled_from([number for number, log in enumerate(rest) if log]))
        count = data.draw(st.integers(1, 5))
        some, rest[number] = rest[number][:count], rest[number][count:]
        found.put(some, {number: not rest[number]})
        given_ += taken(found)
    found.put([], dict.fromkeys(range(len(logs)), True))
    assert given_ + taken(found) == sorted(ms for log in logs for ms in log)
    assert found.offsets == {number: len(log) for number, log in enumerate(logs) if log}
    assert found.at_end


def test_a_partition_of_which_nothing_comes_is_not_waited_for_for_ever() -> None:
    found, _ = order(0, 1)
    found.put([message(0, 0, 5), message(0, 1, 6)], {0: True})
    assert taken(found, 10.0) == []
    assert taken(found, 10.0 + PATIENCE_S / 2) == []
    assert taken(found, 10.0 + PATIENCE_S) == [5, 6]
    found.put([message(1, 0, 3)], {1: True})
    assert taken(found, 20.0) == [3]
    assert not found.full


def test_what_nobody_wants_is_stepped_over_unread() -> None:
    found, damaged = order(0, wanted=False)
    found.put([Message(0, 0, b"no record"), message(0, 1, 6)], {0: True})
    assert taken(found) == []
    assert (found.offsets, damaged) == ({0: 2}, [])


def test_what_was_received_before_the_start_is_left_out() -> None:
    found, _ = order(0, start_ms=6)
    found.put([message(0, offset, offset) for offset in range(10)], {0: True})
    assert taken(found) == [6, 7, 8, 9]


def test_damage_is_told_and_stepped_over() -> None:
    """With its place; and the time at which a log begins is that of its first record."""
    found, damaged = order(0)
    assert found.first_ms() is None
    found.put([Message(0, 0, b"{", None), Message(0, 1, b"{"), message(0, 2, 7)], {0: True})
    assert found.first_ms() == 7
    assert taken(found) == [7]
    assert [error.place for error in damaged] == ["trades[0] at offset 0", "trades[0] at offset 1"]


def test_a_partition_that_is_ahead_is_not_read_further() -> None:
    found, _ = order(0, 1)
    many: list[Any] = [message(0, offset, 50) for offset in range(MOST + 1)]
    found.put(many, {0: False})
    assert found.full == {0}
    found.put([message(1, 0, 60)], {1: True})
    assert found.next(0.0) is not None
    assert not found.full
