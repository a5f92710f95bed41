"""cgrx: typed, composable, observable streams of the CoinGlass real-time feed, on trio.

A first pipeline:

    async with cgrx.connect() as feed:
        feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000)).subscribe(print)
        await feed.run()
"""

from cgrx._backtest import Backtest as Backtest
from cgrx._backtest import BacktestPlan as BacktestPlan
from cgrx._backtest import BacktestStep as BacktestStep
from cgrx._backtest import backtest as backtest
from cgrx._bridge import Events as Events
from cgrx._bridge import from_async as from_async
from cgrx._bridge import stream as stream
from cgrx._channels import Channel as Channel
from cgrx._channels import FuturesTrades as FuturesTrades
from cgrx._channels import LiquidationOrders as LiquidationOrders
from cgrx._channels import parse_channel as parse_channel
from cgrx._errors import AddressError as AddressError
from cgrx._errors import AuthError as AuthError
from cgrx._errors import BackpressureError as BackpressureError
from cgrx._errors import BufferOverflowError as BufferOverflowError
from cgrx._errors import CertificateError as CertificateError
from cgrx._errors import CgrxError as CgrxError
from cgrx._errors import ConnectError as ConnectError
from cgrx._errors import DisconnectedError as DisconnectedError
from cgrx._errors import HandshakeError as HandshakeError
from cgrx._errors import HeartbeatError as HeartbeatError
from cgrx._errors import InTrioError as InTrioError
from cgrx._errors import NotInTrioError as NotInTrioError
from cgrx._errors import PlanError as PlanError
from cgrx._errors import RecordedError as RecordedError
from cgrx._errors import RecordingError as RecordingError
from cgrx._errors import RejectedError as RejectedError
from cgrx._errors import ThreadError as ThreadError
from cgrx._errors import TooManyKeysError as TooManyKeysError
from cgrx._errors import TransportError as TransportError
from cgrx._errors import UnreachableError as UnreachableError
from cgrx._events import Event as Event
from cgrx._events import Liquidation as Liquidation
from cgrx._events import LiquidationSide as LiquidationSide
from cgrx._events import Trade as Trade
from cgrx._events import TradeSide as TradeSide
from cgrx._feed import Feed as Feed
from cgrx._feed import connect as connect
from cgrx._import import Imported as Imported
from cgrx._import import import_csv as import_csv
from cgrx._import import import_jsonl as import_jsonl
from cgrx._import_rows import Reject as Reject
from cgrx._import_rows import UnreadableFileError as UnreadableFileError
from cgrx._inbox import StreamStats as StreamStats
from cgrx._instruments import Instrument as Instrument
from cgrx._limits import Limits as Limits
from cgrx._recorder import Recorder as Recorder
from cgrx._recorder import RecorderStats as RecorderStats
from cgrx._recorder import record as record
from cgrx._recording import Recording as Recording
from cgrx._recording_manifest import Part as Part
from cgrx._replay import Replay as Replay
from cgrx._replay import ReplayProgress as ReplayProgress
from cgrx._replay import replay as replay
from cgrx._scheduler import TrioScheduler as TrioScheduler
from cgrx._signals import Alive as Alive
from cgrx._signals import Batch as Batch
from cgrx._signals import Dropped as Dropped
from cgrx._signals import Gap as Gap
from cgrx._signals import Mark as Mark
from cgrx._signals import Signal as Signal
from cgrx._signals import Watermark as Watermark
from cgrx._status import Backpressured as Backpressured
from cgrx._status import ChannelStats as ChannelStats
from cgrx._status import Connected as Connected
from cgrx._status import Connecting as Connecting
from cgrx._status import Disconnected as Disconnected
from cgrx._status import Ended as Ended
from cgrx._status import FeedStats as FeedStats
from cgrx._status import MalformedInput as MalformedInput
from cgrx._status import NoticeReceived as NoticeReceived
from cgrx._status import RecordingFailed as RecordingFailed
from cgrx._status import Resumed as Resumed
from cgrx._status import Silent as Silent
from cgrx._status import State as State
from cgrx._status import Status as Status
from cgrx._status import StreamFailed as StreamFailed
from cgrx._status import SubscriberFailed as SubscriberFailed
from cgrx._streams import EventStream as EventStream
