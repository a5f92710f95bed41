"""The commands with their options and help, and `run`, which the program `cgrx` calls. `commands/` does the work."""

import math
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from cgrx import COINGLASS_URL
from cgrx._cli.alerting import alert_app
from cgrx._cli.arguments import (
    RATE,
    Channels,
    Files,
    Names,
    Port,
    Positive,
    Rate,
    Usd,
    channels_in,
    faults,
    keyless,
    pairs,
    parse_channels,
    passwordless,
    source,
    unusable,
)
from cgrx._cli.board_options import PAGE, PageOptions
from cgrx._cli.boarding import board_app
from cgrx._cli.commands.demo import Demo, demo
from cgrx._cli.commands.import_ import Import, import_files
from cgrx._cli.commands.publish import Publish, publish_feed
from cgrx._cli.commands.record import Record, record_feed
from cgrx._cli.commands.simulate import Simulate, simulate
from cgrx._cli.completion import Shell, completion_script
from cgrx._cli.config import ConfigFile
from cgrx._cli.keeping import compact_app, verify_app
from cgrx._cli.options import (
    KEY,
    LOGS,
    NO_FILE,
    NO_TARGETS,
    SERVICE,
    FileOptions,
    LogOptions,
    ServiceOptions,
    TargetOptions,
)
from cgrx._cli.showing import replay_app, watch_app
from cgrx._cli.targets import Target, target
from cgrx._cli.terminal.command import print_text, run_to_exit
from cgrx._cli.terminal.exits import CommandError, Exit, explain, whence
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.window_options import NO_WINDOW, WindowOptions
from cgrx.testing import Generation, Plan


def _version() -> str:
    return f"cgrx {version('cgrx')}"


app = App(
    name="cgrx",
    help=f"The CoinGlass real-time feed of liquidations and futures trades in a terminal.\n\n{KEY}",
    help_format="markdown",
    version=_version,
    default_parameter=Parameter(negative=()),
)
for _shown in (watch_app, replay_app, alert_app, board_app, compact_app, verify_app):
    app.command(_shown)


@app.command(name="demo")
async def demo_command(
    *,
    seconds: Positive | None = None,
    seed: int = 0,
    rate: Rate | None = None,
    fault: Names = (),
    board: bool = False,
    page: PageOptions = PAGE,
    windows: WindowOptions = NO_WINDOW,
    targets: TargetOptions = NO_TARGETS,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Run a simulated server and a client, joined by a real socket: no key and no network are needed.

    In a terminal the events, or the rows of --window, fill a live table; elsewhere they are lines. There are large
    prints, a cascade of liquidations, and a connection that breaks off. The end says what was sent, received and lost.

    Args:
        seconds: How long to run; inf runs until Ctrl-C. By default 20, with --board inf.
        seed: Seed of the simulated market: the same seed makes the same market.
        rate: Events a second of the simulated market, on average; 200 by default. With --rate or --fault only what
            these ask for happens.
        fault: A fault that the simulated server makes, such as drop@5s; may be repeated. See `cgrx simulate --help`.
        board: Show it on a live page in the browser too; its address is printed.
        page: See `PageOptions`.
        windows: See `WindowOptions`.
        targets: See `TargetOptions`.
        settings: See `ServiceOptions`.
    """
    request = Demo(
        seconds=seconds or (math.inf if board else 20.0),
        seed=seed,
        rate=rate or RATE,
        faults=faults(fault),
        tells_story=rate is None and not fault,
        window=windows.windowing(),
        deliveries=targets.deliveries(),
        explains=windows.explain,
        page=page.of_demo(shown=board),
    )
    return await demo(request, settings.terminal(), settings.metrics())


@app.command(name="import")
async def import_command(
    *files: Files,
    to: Path,
    events: Literal["liquidations", "trades"],
    csv: bool = False,
    columns: Names = (),
    constants: Names = (),
    received: str | None = None,
    min_volume: Usd = 0.0,
    gapless: bool = False,
    rejects: Path | None = None,
    settings: FileOptions = NO_FILE,
) -> int:
    """Make a recording of files that others wrote: JSON Lines or CSV, plain or gzip.

    Rows that are no events are kept aside in a file of their own, with their line and what is wrong with them.

    Args:
        files: The files to import, in the order in which their rows were received.
        to: The folder of the recording. It must be empty or not exist.
        events: What the rows are.
        csv: The files are comma-separated values whose first line names the columns.
        columns: With --csv: which columns hold the fields, such as price=px,volume_usd=size. A field that is left out
            is read from the column of its own name. Fields: base_asset, exchange, symbol, side, price, volume_usd,
            time_ms.
        constants: With --csv: values of fields that no column holds, such as exchange=Binance,base_asset=BTC.
        received: The key or column that holds the time of receipt, in milliseconds since the epoch.
        min_volume: The minimum volume of the channels that trades go to, in US dollars. Smaller trades are rejected.
        gapless: Declare that no event is missing between the first row and the last. Windows over a replay then give
            complete rows.
        rejects: The file for rejected rows; by default the name of the folder with .rejects.jsonl appended.
        settings: See `FileOptions`.
    """
    request = Import(
        files=files,
        to=to,
        events=events,
        is_csv=csv,
        columns=pairs("--columns", columns),
        constants=pairs("--constants", constants),
        received=received,
        min_volume=min_volume,
        gapless=gapless,
        rejects=rejects,
    )
    return await import_files(request, Terminal.of_process())


@app.command(name="record")
async def record_command(
    *channels: Channels,
    to: Path,
    seconds: Positive = math.inf,
    flush_every: Positive = 1.0,
    url: str = COINGLASS_URL,
    connect_timeout: Positive = 30.0,
    proxy: str | None = None,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Record channels of the feed into a folder, until Ctrl-C.

    A recording that is already in the folder is continued. Messages go to standard error. A process that is killed
    loses at most the events since the last flush.

    Args:
        channels: liquidations, or trades:EXCHANGE:SYMBOL:MIN_VOLUME, such as trades:Binance:BTCUSDT:10000.
        to: The folder; it is created if it does not exist.
        seconds: End this many seconds after the first connection.
        flush_every: At most this many seconds pass until received events are handed to the operating system.
        url: Address of the server, ws:// or wss://.
        connect_timeout: Seconds for the first connection, all attempts together.
        proxy: A proxy to connect through: http://HOST:PORT, https://, socks5:// or socks5h://, or env for the one that
            the environment names.
        settings: See `ServiceOptions`.
    """
    request = Record(
        url=keyless(url),
        channels=parse_channels(channels),
        folder=to,
        seconds=seconds,
        flush_every_s=flush_every,
        connect_timeout_s=connect_timeout,
        proxy=passwordless(proxy),
    )
    return await record_feed(request, settings.terminal(), settings.metrics())


@app.command(name="publish")
async def publish_command(
    *channel: Annotated[str, Parameter(name="CHANNEL")],
    to: Target,
    channels: Path | None = None,
    shard: str = "1/1",
    partition_by: Literal["channel", "base_asset"] = "channel",
    dead_letters: Path | None = None,
    spill: Path | None = None,
    seconds: Positive = math.inf,
    url: str = COINGLASS_URL,
    connect_timeout: Positive = 30.0,
    proxy: str | None = None,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Publish channels of the feed to a topic that other processes read by `cgrx.consume`, until Ctrl-C.

    Every batch of events is a record, and so is what is known of gaps, losses and silence. After a restart, or a kill,
    readers see the outage as a gap. The accounts are told once a minute and at the end.

    Args:
        channel: liquidations, or trades:EXCHANGE:SYMBOL:MIN_VOLUME, such as trades:Binance:BTCUSDT:10000.
        to: The topic: kafka://HOST:9092/TOPIC, or env:NAME for one that holds a password.
        channels: A file with channels too, one a line, as above or by their wire names; # begins a comment.
        shard: The share of the channels that this process publishes, such as 3/8. 1/8 to 8/8 are all of them.
        partition_by: What decides on the partition, and on the share: base_asset keeps the exchanges of an asset
            together.
        dead_letters: A file for records that the brokers refuse, with the reasons.
        spill: A folder for records that find no room in memory while the brokers are away. The next run delivers them.
        seconds: End this many seconds after the first connection.
        url: Address of the server, ws:// or wss://.
        connect_timeout: Seconds for the first connection, all attempts together.
        proxy: A proxy to connect through: http://HOST:PORT, https://, socks5:// or socks5h://, or env for the one that
            the environment names.
        settings: See `ServiceOptions`.
    """
    chosen = (*parse_channels(channel), *(() if channels is None else channels_in(channels)))
    if not chosen:
        raise unusable("there is nothing to publish: name channels, or give --channels FILE")
    request = Publish(
        url=keyless(url),
        channels=tuple(dict.fromkeys(chosen)),
        to=target(to),
        shard=shard,
        partition_by=partition_by,
        dead_letters=dead_letters,
        spill=spill,
        seconds=seconds,
        connect_timeout_s=connect_timeout,
        proxy=passwordless(proxy),
    )
    return await publish_feed(request, settings.terminal(), settings.metrics())


@app.command(name="simulate")
async def simulate_command(
    *,
    host: str = "127.0.0.1",
    port: Port = 8765,
    rate: Rate | None = None,
    seed: int | None = None,
    file: Path | None = None,
    events: Literal["liquidations", "trades"] = "liquidations",
    speed: Positive = 1.0,
    generation: Generation = 1,
    plan: Plan = "standard",
    key: Names = (),
    fault: Names = (),
    seconds: Positive = math.inf,
    settings: LogOptions = LOGS,
) -> int:
    """Serve a simulated CoinGlass feed until Ctrl-C: of a made-up market, or of a file.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        rate: Events a second of the made-up market, on average; 200 by default.
        seed: Seed of the made-up market; 0 by default.
        file: A file of JSON Lines with the fields of the API, plain or gzip. It is sent once, beginning at the first
            subscription.
        events: What the file holds.
        speed: Pace of the events: 1 as their times say, 10 ten times as fast, inf as fast as clients read.
        generation: Which field and channel names frames use: 1 those of the first API, 2 those of its successor.
        plan: The plan of every key. Below standard, subscribing to a channel is refused with a notice.
        key: A key to accept, made up for the purpose; may be repeated. By default every key is accepted.
        fault: `NAME[:ARGUMENT][*CONNECTIONS][@MOMENT][#CONNECTION]`, such as `drop@30s`, `close:1012@500events`,
            `refuse:503*3` or `late:5s#2`; may be repeated. A wrong name is answered with the list of all names.
        seconds: How long to serve; until Ctrl-C by default.
        settings: See `LogOptions`.
    """
    request = Simulate(
        host=host,
        port=port,
        source=source(file, events, rate, seed),
        speed=speed,
        generation=generation,
        plan=plan,
        keys=key,
        faults=faults(fault),
        seconds=seconds,
    )
    return await simulate(request, settings.terminal())


@app.command(name="completion")
async def completion_command(shell: Annotated[Shell, Parameter(name="SHELL")], /) -> int:
    """Print the script by which a shell completes commands, options and their choices.

    For bash: `source <(cgrx completion bash)` in `~/.bashrc`. For zsh the same behind `compinit`, in `~/.zshrc`. For
    fish: `cgrx completion fish | source` in `~/.config/fish/config.fish`.

    Args:
        shell: The shell that is to read the script.
    """
    return await print_text(completion_script(app, shell), Terminal.of_process())


def run(arguments: Sequence[str]) -> int:
    """Run the command that these arguments name, and return its exit code.

    A mistake of the user is one line on standard error, never a traceback.
    """
    file = ConfigFile()
    app.config = (file,)
    before = whence.set(file.place)
    try:
        function, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
        called = partial(function, *bound.args, **bound.kwargs)
        return run_to_exit(called) if iscoroutinefunction(function) else called() or Exit.DONE  # help, or the version
    except CycloptsError as error:
        command = " ".join(("cgrx", *(error.command_chain or ())))
        text = str(error)
        place = "" if error.argument is None else file.place_of(error.argument, text)
        Terminal.of_process().say(f"{place}{_sentence(text)} See `{command} --help`.")
        return Exit.USAGE
    except CommandError as error:
        exit_code, text = explain(error)
        Terminal.of_process().say(text)
        return exit_code
    finally:
        whence.reset(before)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
