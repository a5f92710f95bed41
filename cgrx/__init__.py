"""cgrx: typed, composable, observable streams of the CoinGlass real-time feed, on trio.

A first pipeline:

    async with cgrx.connect() as feed:
        feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000)).subscribe(print)
        await feed.run()
"""

from cgrx._backtest.backtest import Backtest as Backtest
from cgrx._backtest.backtest import BacktestPlan as BacktestPlan
from cgrx._backtest.backtest import BacktestStep as BacktestStep
from cgrx._backtest.backtest import backtest as backtest
from cgrx._feed.feed import Feed as Feed
from cgrx._feed.feed import connect as connect
from cgrx._feed.recorder import Recorder as Recorder
from cgrx._feed.recorder import RecorderStats as RecorderStats
from cgrx._feed.recorder import record as record
from cgrx._importing.files import Imported as Imported
from cgrx._importing.files import import_csv as import_csv
from cgrx._importing.files import import_jsonl as import_jsonl
from cgrx._importing.rows import Reject as Reject
from cgrx._importing.rows import UnreadableFileError as UnreadableFileError
from cgrx._model.channels import Channel as Channel
from cgrx._model.channels import FuturesTrades as FuturesTrades
from cgrx._model.channels import LiquidationOrders as LiquidationOrders
from cgrx._model.channels import parse_channel as parse_channel
from cgrx._model.errors import AddressError as AddressError
from cgrx._model.errors import AuthError as AuthError
from cgrx._model.errors import BackpressureError as BackpressureError
from cgrx._model.errors import BufferOverflowError as BufferOverflowError
from cgrx._model.errors import CertificateError as CertificateError
from cgrx._model.errors import CgrxError as CgrxError
from cgrx._model.errors import ConnectError as ConnectError
from cgrx._model.errors import DisconnectedError as DisconnectedError
from cgrx._model.errors import HandshakeError as HandshakeError
from cgrx._model.errors import HeartbeatError as HeartbeatError
from cgrx._model.errors import InTrioError as InTrioError
from cgrx._model.errors import NotInTrioError as NotInTrioError
from cgrx._model.errors import PlanError as PlanError
from cgrx._model.errors import RecordedError as RecordedError
from cgrx._model.errors import RecordingError as RecordingError
from cgrx._model.errors import RejectedError as RejectedError
from cgrx._model.errors import ThreadError as ThreadError
from cgrx._model.errors import TooManyKeysError as TooManyKeysError
from cgrx._model.errors import TransportError as TransportError
from cgrx._model.errors import UnreachableError as UnreachableError
from cgrx._model.events import Event as Event
from cgrx._model.events import Liquidation as Liquidation
from cgrx._model.events import LiquidationSide as LiquidationSide
from cgrx._model.events import Trade as Trade
from cgrx._model.events import TradeSide as TradeSide
from cgrx._model.instruments import Instrument as Instrument
from cgrx._model.limits import Limits as Limits
from cgrx._model.signals import Alive as Alive
from cgrx._model.signals import Batch as Batch
from cgrx._model.signals import Dropped as Dropped
from cgrx._model.signals import Gap as Gap
from cgrx._model.signals import Mark as Mark
from cgrx._model.signals import Signal as Signal
from cgrx._model.signals import Watermark as Watermark
from cgrx._model.status import Backpressured as Backpressured
from cgrx._model.status import ChannelStats as ChannelStats
from cgrx._model.status import Connected as Connected
from cgrx._model.status import Connecting as Connecting
from cgrx._model.status import Disconnected as Disconnected
from cgrx._model.status import Ended as Ended
from cgrx._model.status import FeedStats as FeedStats
from cgrx._model.status import MalformedInput as MalformedInput
from cgrx._model.status import NoticeReceived as NoticeReceived
from cgrx._model.status import RecordingFailed as RecordingFailed
from cgrx._model.status import Resumed as Resumed
from cgrx._model.status import Silent as Silent
from cgrx._model.status import State as State
from cgrx._model.status import Status as Status
from cgrx._model.status import StreamFailed as StreamFailed
from cgrx._model.status import SubscriberFailed as SubscriberFailed
from cgrx._recording.manifest import Part as Part
from cgrx._recording.recording import Recording as Recording
from cgrx._replay.replay import Replay as Replay
from cgrx._replay.replay import ReplayProgress as ReplayProgress
from cgrx._replay.replay import replay as replay
from cgrx._streams.ordering import OrderedStream as OrderedStream
from cgrx._streams.ordering import OrderStats as OrderStats
from cgrx._streams.ordering import merge_exchanges as merge_exchanges
from cgrx._streams.stream import EventStream as EventStream
from cgrx._streams.stream import merge as merge
from cgrx._trio.buffers import StreamStats as StreamStats
from cgrx._trio.iterate import EventIterator as EventIterator
from cgrx._trio.iterate import from_async as from_async
from cgrx._trio.iterate import stream as stream
from cgrx._trio.scheduler import SchedulerStats as SchedulerStats
from cgrx._trio.scheduler import TrioScheduler as TrioScheduler
from cgrx.operators._rows.to_frame import to_frame as to_frame
from cgrx.operators._stages.explain import Explanation as Explanation
from cgrx.operators._stages.explain import explain as explain
