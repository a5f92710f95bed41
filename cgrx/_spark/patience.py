"""How long a run waits for brokers that are away: they are restarted, and a run that has failed must be run again."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from cgrx._model.data_errors import LogError, SinkRefusedError
from cgrx._sinks.kafka import understood
from cgrx._spark.settings import Kafka

T = TypeVar("T")

_ASK_S = 5.0
"""How long a question waits for its answer, at the most, before it is asked again."""
_AGAIN_S = 0.2


class Patience:
    """The wait of one client for what a broker gives next. The client itself looks for brokers that are away."""

    def __init__(self, log: Kafka) -> None:
        self._log = log
        self.renew()

    def renew(self) -> None:
        """A broker has given something: wait for the next as long again."""
        self._until = time.monotonic() + self._log.timeout_s
        self._why = ""

    def hear(self, error: Any) -> None:
        """Keep what the client says of its brokers.

        Raises:
            LogError: they refuse, so that waiting would not help.
        """
        meant = understood(error, self._name)
        if isinstance(meant, SinkRefusedError):
            raise LogError(meant.reason)
        self._why = f": {meant}"

    def require(self, wanted: str) -> None:
        """Go on waiting for what is wanted.

        Raises:
            LogError: it has been long enough.
        """
        if time.monotonic() > self._until:
            raise LogError(f"{self._name} gave {wanted} not within {self._log.timeout_s:g} s{self._why}")

    def answer(self, consumer: Any, question: Callable[[float], T]) -> T:
        """What a broker answers to a question, which is asked again while none does: `question(timeout_s)`.

        Raises:
            LogError: they refuse, or none answers in time.
        """
        from confluent_kafka import KafkaException

        while True:
            try:
                return question(min(_ASK_S, max(_AGAIN_S, self._until - time.monotonic())))
            except KafkaException as error:
                self.hear(error.args[0])
            consumer.poll(_AGAIN_S)  # which tells `hear` alone that a broker refuses the user
            self.require("an answer")

    @property
    def _name(self) -> str:
        return f"topic {self._log.address.topic!r} at {self._log.address.servers}"
