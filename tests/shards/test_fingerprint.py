"""A pipeline is told from every other one by what its functions, classes and values are; and never from itself."""

import enum
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import pytest
from reactivex import Observable

from cgrx import Feed, Shard, StateError
from cgrx import operators as ops
from tests.house.plan import ROOT


class Level(enum.Enum):
    """A value of a user."""

    LOW = 1
    HIGH = 2


class Packed(msgspec.Struct, frozen=True):
    """Another."""

    least: float


@dataclass(frozen=True)
class Data:
    """Another."""

    least: float


class Plain(ops.Stage[Any, Any]):
    """A stage that is no attrs class."""

    def __init__(self, least: float) -> None:
        self.least = least

    def start(self) -> ops.Running[Any, Any]:
        return ops.min_volume(self.least).start()


def enclosing(value: object) -> Callable[[Any], bool]:
    return lambda event: value is not event


def recursive(value: object) -> Callable[[Any], bool]:
    def test(event: Any) -> bool:
        return bool(value) and (event is None or test(None))

    return test


def unfilled(value: object) -> Callable[[Any], bool]:
    """A function that encloses a name which nothing fills."""

    def test(event: Any) -> bool:
        return value is not never

    if value is test:
        never = 1
    return test


def with_class(value: object) -> Callable[[Any], bool]:
    """A function of a class whose code depends on the value."""

    class Tests:
        @property
        def least(self) -> object:
            return value

        @staticmethod
        def own(event: Any) -> bool:
            return event is not None

        def test(self, event: Any) -> bool:
            return self.own(event) and self.least is not None

    return Tests().test


VARIED: dict[str, tuple[Callable[[Any], Any], object, object]] = {
    "an enumeration": (enclosing, Level.LOW, Level.HIGH),
    "a set": (enclosing, {"a", "b", "c"}, {"a", "b"}),
    "a dictionary": (enclosing, {"a": 1, "b": 2}, {"a": 1, "b": 3}),
    "a list": (enclosing, [1, 2], [2, 1]),
    "a struct": (enclosing, Packed(1), Packed(2)),
    "a dataclass": (enclosing, Data(1), Data(2)),
    "a module": (enclosing, enum, msgspec),
    "a builtin": (enclosing, len, max),
    "a partial": (enclosing, partial(max, 1), partial(max, 2)),
    "itself": (recursive, 1, 2),
    "nothing yet": (unfilled, 1, 2),
    "a class": (with_class, 1, 2),
}


def where(test: Callable[[Any], bool]) -> Callable[[Feed], Observable[Any]]:
    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().where(test)

    return build


def behind(stage: ops.Stage[Any, Any]) -> Callable[[Feed], Observable[Any]]:
    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().pipe(stage)

    return build


def assert_told_apart(make: Callable[[], Callable[[Feed], Observable[Any]]], other: Any) -> None:
    data = Shard(make()).snapshot()
    Shard.restore(make(), data)
    with pytest.raises(StateError, match="of another pipeline"):
        Shard.restore(other, data)


@pytest.mark.parametrize("name", VARIED)
def test_what_a_function_encloses_counts(name: str) -> None:
    """Made anew it is the same; with another value another."""
    make, one, other = VARIED[name]
    assert_told_apart(lambda: where(make(one)), where(make(other)))


def test_parameters_of_any_stage_count() -> None:
    """Of one that is no attrs class, too; and the key of a dedupe."""
    assert_told_apart(lambda: behind(Plain(1)), behind(Plain(2)))
    assert_told_apart(
        lambda: behind(ops.dedupe("1s", key=attrgetter("price"))), behind(ops.dedupe("1s", key=attrgetter("symbol")))
    )


def test_what_is_shared_counts() -> None:
    """One stream that two parts share is another pipeline than two streams."""

    def once(feed: Feed) -> Observable[Any]:
        stream = feed.liquidations().share()
        return stream.pipe(ops.merge(stream))

    def twice(feed: Feed) -> Observable[Any]:
        return feed.liquidations().share().pipe(ops.merge(feed.liquidations().share()))

    assert_told_apart(lambda: once, twice)


OWN = """
import attrs
from cgrx import Shard, operators as ops

@attrs.frozen
class Sum:
    usd: float = 0.0

@attrs.frozen
class Own(ops.Stage):
    least: float
    def start(self):
        return ops.min_volume(self.least).start()

def add(total, event):
    return Sum(total.usd + event.volume_usd)

shard = Shard(lambda feed: feed.liquidations().pipe(Own(5.0), ops.scan(add, Sum())))
print(shard._built.identity.fingerprint.hex())
"""


def test_classes_of_a_user_are_the_same_in_another_process() -> None:
    """Also those of attrs, whose `__hash__` holds a number that each process draws anew."""

    def told(seed: str) -> str:
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", OWN]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert told("7") == told("8")
