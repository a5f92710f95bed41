"""Which requests a simulated server accepts, by path, key and plan; and which texts it reads as commands."""

from collections.abc import Collection
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import attrs
import msgspec

from cgrx._model.channels import Channel
from cgrx._wire.address import KEY_PARAMETER

Plan: TypeAlias = Literal["hobbyist", "startup", "standard", "professional", "enterprise"]
"""The plan of an API key; the channels of the feed need `"standard"` or more.

Examples:
    >>> from cgrx.testing import Simulator
    >>> async with Simulator(plan="startup") as simulator:
    ...     async with cgrx.connect(
    ...         url=simulator.url, api_key="made-up-key"
    ...     ) as feed:
    ...         try:
    ...             async with cgrx.stream(feed.liquidations()) as events:
    ...                 async for event in events:
    ...                     print(event)
    ...         except cgrx.PlanError as error:
    ...             print(error.notice)
    liquidationOrders need upgrade plan
"""
BadKey: TypeAlias = Literal["notice", "close", "ignore"] | int
"""What happens to a wrong key: a refusal with this HTTP status, a notice and a close, a close, or no answer.

Examples:
    >>> from cgrx.testing import Simulator
    >>> async with Simulator(keys=["the-right-key"], on_bad_key=403) as simulator:
    ...     try:
    ...         async with cgrx.connect(
    ...             url=simulator.url, api_key="a-wrong-key"
    ...         ) as feed:
    ...             await feed.run()
    ...     except cgrx.AuthError as error:
    ...         print(error)
    the server refused the API key (HTTP 403)
"""

_PLANS: tuple[Plan, ...] = ("hobbyist", "startup", "standard", "professional", "enterprise")
_LOWEST_PLAN: Plan = "standard"

KEY_NOTICE = "invalid api key"
"""Made up: what the real server says is not known."""


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"method": "subscribe", "channels": [...]}`, and nothing else."""

    method: Literal["subscribe", "unsubscribe"]
    channels: list[str]


_COMMANDS = msgspec.json.Decoder(Command)


def parse_command(text: str) -> Command | None:
    """The command in a text message, None where it is malformed."""
    try:
        return _COMMANDS.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _plan(_: object, __: object, value: str) -> None:
    if value not in _PLANS:
        raise ValueError(f"plan={value!r} is not a plan; accepted are {', '.join(_PLANS)}")


def _bad_key(_: object, __: object, value: BadKey) -> None:
    if not (isinstance(value, int) and 300 <= value <= 599) and value not in ("notice", "close", "ignore"):
        raise ValueError(f"on_bad_key={value!r}: give an HTTP status of 300 to 599, 'notice', 'close' or 'ignore'")


@attrs.frozen(kw_only=True)
class Gate:
    """The rules for requests. With `keys` None, every key that is not empty is accepted."""

    path: str
    keys: frozenset[str] | None = attrs.field(repr=False)
    on_bad_key: BadKey = attrs.field(validator=_bad_key)
    plan: Plan = attrs.field(validator=_plan)
    need_upgrade: Collection[Channel]
    """Channels that need a higher plan whatever `plan` is."""

    def refusal(self, resource: str) -> int | None:
        """The HTTP status with which a request for this resource is refused, None where it is not."""
        if urlsplit(resource).path != self.path:
            return 404
        if isinstance(self.on_bad_key, int) and not self.accepts_key(resource):
            return self.on_bad_key
        return None

    def accepts_key(self, resource: str) -> bool:
        """Whether the query holds a key, and an accepted one."""
        key = parse_qs(urlsplit(resource).query).get(KEY_PARAMETER, [""])[0]
        return bool(key) if self.keys is None else key in self.keys

    def includes(self, channel: Channel) -> bool:
        """Whether the plan includes the channel."""
        return channel not in self.need_upgrade and _PLANS.index(self.plan) >= _PLANS.index(_LOWEST_PLAN)
