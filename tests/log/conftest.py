"""A topic of its own for each test, at a broker that the tests of a module share."""

from collections.abc import Generator
from itertools import count

import pytest

from tests.log.logs import PARTITIONS, Log
from tests.sinks.kafka_server import Broker
from tests.support import run

_NUMBERS = count()


@pytest.fixture(scope="module")
def shared() -> Generator[Broker]:
    broker = Broker()
    run(broker.start)
    yield broker
    broker.kill()


@pytest.fixture
def log(shared: Broker) -> Log:
    """A new topic."""
    made = Log(shared, f"trades-{next(_NUMBERS)}")
    shared.make(made.topic, PARTITIONS)
    return made


@pytest.fixture
def mortal() -> Generator[Log]:
    """A topic at a broker of its own, which may be killed. The test starts it."""
    broker = Broker()
    yield Log(broker)
    broker.kill()
