"""Where a topic is: the brokers, its name, and properties of the client; also as one text.

kafka://broker-1:9092,broker-2:9092/trades?security.protocol=SASL_SSL
"""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote

import attrs

_SERVER: Final = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
_TOPIC: Final = re.compile(r"[\w.-]{1,249}", re.ASCII)


@attrs.frozen
class KafkaAddress:
    """A topic at its brokers."""

    servers: str
    """One or more, `host:port`, with commas between."""
    topic: str
    """Its name; empty where a text names none."""
    config: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    """Further properties of librdkafka. They may hold a password, and are never shown."""

    @classmethod
    def parse(cls, place: str) -> "KafkaAddress":
        """Read what stands behind `kafka:`.

        Raises:
            ValueError: it names a user, which properties do.
        """
        address, _, query = place.partition("?")
        servers, _, topic = address.removeprefix("//").partition("/")
        if "@" in servers:
            raise ValueError("a user of Kafka is told by parameters: give sasl.username= and sasl.password=")
        return cls(servers, unquote(topic), dict(parse_qsl(query)))

    @classmethod
    def of_target(cls, target: object) -> "KafkaAddress":
        """Read `kafka://HOST:9092/TOPIC`. It may hold a secret, so no message quotes it.

        Raises:
            ValueError, TypeError: it is something else.
        """
        if not isinstance(target, str):
            raise TypeError(f"a target is a text, and no {type(target).__name__}")
        scheme, _, place = target.partition(":")
        if scheme.lower() != "kafka":
            raise ValueError("this is no target that records go to: give kafka://HOST:9092/TOPIC")
        return cls.parse(place)

    def require(self, ours: Collection[str]) -> None:
        """Check it; `ours` are the properties that nobody may give.

        Raises:
            ValueError: something cannot be used.
        """
        if not all(_SERVER.fullmatch(server) for server in str(self.servers).split(",")):
            raise ValueError(f"servers={self.servers!r} cannot be read: give host:port, several with commas between")
        if not _TOPIC.fullmatch(self.topic):
            raise ValueError(
                f"topic={self.topic!r} is no name of a topic: give letters, digits, '.', '_' and '-', 249 at most"
            )
        taken = sorted(set(ours) & set(self.config))
        if taken:
            raise ValueError(f"config={{{taken[0]!r}: ...}}: cgrx sets this property itself, or cannot use it")
