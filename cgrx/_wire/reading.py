"""The messages of one read of the socket, the events of each channel together. Pure: no I/O, no clock.

A server that many channels are subscribed to at sends their frames by turns, an event in each. They are gathered by
channel, up to the next message that is no frame: within one read the order between channels carries no meaning, since
they share their time of receipt, and what comes behind a batch costs by the batch. Within a channel the order stays.

What is read is what `codec.decode` reads, message by message, with parts of the API key hidden. A frame like those that
came before on its channel is read the short way: by the decoder of its type, which its first letter tells, with texts
that are known.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cgrx._model.events import Event, Trade, TradeSide
from cgrx._model.exchanges import EXCHANGES
from cgrx._wire.codec import FIRST, NOT_THIS_WAY, SECOND, Generation, decode
from cgrx._wire.messages import Frame, Malformed, Message
from cgrx._wire.secret import Texts

_REMEMBERED = 20_000
"""So many names of channels of a kind are known, more than a connection can have; then they are learnt anew."""

_NAME_AT = len('{"channel":"')
_F = ord("f")  # as in `futures_trades@`; a wrong guess costs time and nothing else


_UNKNOWN = Trade("", "", "", TradeSide.BUY, 1.0, 1.0, 0)
"""No event has its texts."""


class _Line:
    """A channel, by the name that frames have for it. State: what came of it in this read, and its latest event."""

    __slots__ = ("events", "known", "malformed", "name", "touched")

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[Any] = []
        """All of the channel's type of event."""
        self.malformed: tuple[Malformed, ...] = ()
        self.touched = False
        """Whether a frame of it has come in this read."""
        self.known: Event = _UNKNOWN
        """The latest event whose texts may stand as they are."""

    def take(self) -> Frame:
        """All that came, as one frame."""
        frame = Frame(self.name, tuple(self.events), self.malformed)
        self.events, self.malformed, self.touched = [], (), False
        return frame


class Reader:
    """Reads the messages of one connection. State: the channels whose frames have come."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._trades: dict[str, _Line] = {}
        self._liquidations: dict[str, _Line] = {}
        self._touched: list[_Line] = []
        self._messages: list[Message] = []
        self._generation = FIRST
        """That of the latest frame: a server speaks one."""

    def read(self, payloads: Sequence[bytes]) -> list[Message]:
        """Read the messages of one read: `decode` of each, the frames of each channel as one."""
        of_trades, of_liquidations, touched = self._trades, self._liquidations, self._touched
        read_trades, read_liquidations = self._generation
        clean = self._texts.clean
        events: list[Any]  # of one of the two types
        for payload in payloads:
            # What nearly all are, a frame that is like those before it: nothing here may cost without a reason.
            try:
                if payload[_NAME_AT] == _F:
                    trades = read_trades(payload)
                    line, events = of_trades[trades.channel], trades.data
                else:
                    liquidations = read_liquidations(payload)
                    line, events = of_liquidations[liquidations.channel], liquidations.data
            except NOT_THIS_WAY:
                read_trades, read_liquidations = self._read_otherwise(payload)
                continue
            except LookupError:  # too short, or of a channel that is not known yet
                self._take(decode(payload))
                continue
            if len(events) == 1:  # as `_know` of one, without a call and a loop
                event, known = events[0], line.known
                if (
                    event.symbol != known.symbol
                    or event.exchange != known.exchange
                    or event.base_asset != known.base_asset
                ):
                    if event.symbol not in clean or event.exchange not in EXCHANGES or event.base_asset not in clean:
                        self._take(decode(payload))
                        continue
                    line.known = event
            elif not self._know(line, events):
                self._take(decode(payload))
                continue
            if line.touched:
                line.events += events
            else:
                line.touched = True
                line.events = events
                touched.append(line)
        self._close()
        messages, self._messages = self._messages, []
        return messages

    def _read_otherwise(self, payload: bytes) -> Generation:
        """Read what is no faultless frame of the present generation; the generation that is tried from now on."""
        other = FIRST if self._generation is SECOND else SECOND
        with suppress(*NOT_THIS_WAY):
            (other[0] if payload[_NAME_AT : _NAME_AT + 1] == b"f" else other[1])(payload)
            self._generation = other
        self._take(decode(payload))
        return self._generation

    def _know(self, line: _Line, events: Sequence[Event]) -> bool:
        """Whether the texts of all these may stand as they are: exchanges in their one spelling, no part of the key."""
        known, clean = line.known, self._texts.clean
        for event in events:
            if event.symbol != known.symbol or event.exchange != known.exchange or event.base_asset != known.base_asset:
                if event.symbol not in clean or event.exchange not in EXCHANGES or event.base_asset not in clean:
                    return False
                known = event
        line.known = known
        return True

    def _take(self, message: Message) -> None:
        """Any message: a frame joins its channel, all else comes behind what has been gathered."""
        if not isinstance(message, Frame):
            self._close()
            self._messages.append(message)
            return
        lines = self._trades if message.channel.startswith("f") else self._liquidations
        line = lines.get(message.channel)
        if line is None:
            if len(lines) >= _REMEMBERED:
                self._close()
                lines.clear()
            line = lines[message.channel] = _Line(message.channel)
        if not line.touched:
            line.touched = True
            self._touched.append(line)
        line.events += map(self._texts.cleaned, message.events)
        line.malformed += message.malformed

    def _close(self) -> None:
        """Hand on what has been gathered."""
        self._messages += [line.take() for line in self._touched]
        self._touched.clear()
