"""The scenarios themselves, small: rivals agree, and senders send what was asked for. No time is judged."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import astuple

from benchmarks import backtest, channels, delivery, market, pipelines, recording, replay, shards
from benchmarks.__main__ import SCENARIOS, list_command, main
from benchmarks._harness.data import Market, trade_frames
from benchmarks._harness.equality import require_equal
from benchmarks._harness.scenario import AbsentError, Rival, Scenario
from benchmarks._harness.worker import load, process
from benchmarks._senders import mortal, schedule
from benchmarks._senders.schedule import Schedule
from benchmarks._senders.server import Load, port_of, servers
from benchmarks.rivals import by_cgrx, by_hand, by_minutes, by_polars, by_reactivex
from benchmarks.rivals.by_host import HOSTS
from benchmarks.rivals.dispatch import CLIENTS as MARKET_CLIENTS
from benchmarks.rivals.receivers import CLIENTS, Goal
from benchmarks.rivals.tasks import Kind, Task, cannot
from cgrx import Trade
from tests.choosing import one_in
from tests.house import plan

CGRX, TRIO_WEBSOCKET = CLIENTS[:2]
OTHERS = {
    "by hand": by_hand.ANSWERS,
    "reactivex": by_reactivex.ANSWERS,
    "polars": by_polars.ANSWERS,
    "minutes": by_minutes.ANSWERS,
}


ONLY: dict[str, Kind] = {"cgrx, fixed lengths": "days", "cgrx, the minutes alone": "hours"}
"""The one task of those that answer no other."""


@contextmanager
def collecting(count: int) -> Generator[tuple[Goal, list[Trade]], None, None]:
    kept: list[Trade] = []

    def on_event(event: Trade) -> None:
        kept.append(event)
        goal.left -= 1
        if not goal.left:
            goal.reached()

    goal = Goal(count, on_event, lambda: None)
    yield goal, kept
    assert goal.left == 0


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("batch", [1, 7, 100])
def test_every_way_to_do_a_task_gives_the_same(kind: Kind, batch: int) -> None:
    """`require_equal` finds no difference, also for batches that do not divide the events."""
    task = Task(kind, 450, batch=batch, subscribers=3)
    run, shown = by_cgrx.ANSWERS[kind](task)
    expected = shown(run())
    for name, answers in OTHERS.items():
        try:
            run, shown = answers.get(kind, cannot("not in the table"))(task)
        except AbsentError:
            continue
        require_equal(kind, "cgrx", expected, name, shown(run()))


@pytest.mark.parametrize("rival", pipelines.SCENARIO.rivals, ids=lambda rival: rival.name)
def test_every_rival_of_pipelines_has_its_module(rival: Rival[Task]) -> None:
    """A library may be absent; a module of rivals/ may not."""
    try:
        contest = rival.prepare(Task(ONLY.get(rival.name, "filters"), 50), None)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("benchmarks"):
            raise
    else:
        assert contest.results()


@pytest.mark.soak  # `python -m benchmarks run --quick`, which CI runs, compares them too
@pytest.mark.parametrize(
    ("scenario", "parameters"),
    [
        (recording.SCENARIO, recording.Traffic(200, 7)),
        (replay.SCENARIO, replay.Query(400, 1000)),
        (backtest.SCENARIO, backtest.Query("sessions", 400, 2)),
        (backtest.SCENARIO, backtest.Thresholds("cascades", backtest.Liquidated("bars", 400, 2))),
        (backtest.SCENARIO, backtest.Thresholds("bars", backtest.Query("bars", 400, 2))),
    ],
)
def test_rivals_that_read_files_agree(scenario: Scenario[Any], parameters: Any, tmp_path: Path) -> None:
    """Their results are equal, and they can be measured. A rival that is not installed is absent, as in a run."""
    expected: Any = None
    for rival in scenario.rivals:  # ours is the first
        try:
            contest = rival.prepare(parameters, tmp_path)
            results = contest.results()
        except (ModuleNotFoundError, AbsentError):
            continue
        expected = expected or results
        assert expected
        if results is not None:
            require_equal(scenario.name, "cgrx", expected, rival.name, results)
        assert contest.measure().value > 0


def test_delivery_on_the_path_of_a_feed_and_without_a_database() -> None:
    """With and without a sink the subscriber gets the same; a rival whose server cannot run is absent, and says why."""
    nowhere = delivery.Databases("", "", "there is none")
    ours, *_, limit = delivery.SCENARIO.rivals
    with_sink, without = (rival.prepare(delivery.Events(600), nowhere) for rival in (ours, limit))
    assert with_sink.results() == without.results() != [0]
    assert with_sink.measure().value > 0
    with pytest.raises(AbsentError, match="there is none"):
        ours.prepare(delivery.Rows(10, "PostgreSQL"), nowhere)


@pytest.mark.parametrize(
    "work",
    [
        *(shards.Work(kind, 300, 7) for kind in ("decode", "bars", "encode")),
        shards.Work("snapshot", 3),
        shards.Work("restore", 3),
        shards.Work("keys", 12),
    ],
    ids=lambda work: work.kind,
)
def test_shards_that_go_on_from_snapshots_and_rivals_without_records_agree(work: shards.Work) -> None:
    expected: Any = None
    for rival in shards.SCENARIO.rivals:  # ours is the first
        try:
            contest = rival.prepare(work, "")
        except AbsentError:
            continue
        results = contest.results() or ()
        expected = expected or results
        assert expected
        require_equal("shards", "cgrx", expected, rival.name, results)
        assert contest.measure().value > 0


def test_publishing_without_a_broker_is_absent() -> None:
    for rival in shards.SCENARIO.rivals[:2]:
        with pytest.raises(AbsentError, match="no broker"):
            rival.prepare(shards.Work("publish", 10), "")


@pytest.mark.thorough  # servers and clients of many kinds take seconds; `nox -s benchmarks` runs each of them too
def test_clients_get_what_the_sender_sends() -> None:
    """Over TCP and TLS, however it is written; and under each host, whatever its feed sends before it subscribes."""
    blocks = (Load(20, 3), False, (CGRX, TRIO_WEBSOCKET, *HOSTS))
    others = [(Load(20, 3, "record"), True, CLIENTS[:2]), (Load(20, 3, "frame"), False, CLIENTS[:2])]
    with servers() as found:
        for load_, tls, clients in (blocks, *others):
            for client in clients:
                with collecting(60) as (goal, kept):
                    client.receive(found.url(load_, tls=tls), found.ssl_context(tls=tls), goal)
                assert len(kept) == 60
                assert f'"price":{kept[-1].price}' in trade_frames(20, 3)[-1].decode()


@pytest.mark.parametrize("bars", one_in(2, [False, True]), ids=["callbacks", "bars"])
def test_clients_get_the_whole_market(*, bars: bool) -> None:
    """Each event of the generated market once, in the order of its channel; the bars are those that a loop makes."""
    sent = (events := Market(3).events(200)) + Market(3).closing(events)
    ours, rival, *_ = market.SCENARIO.rivals
    shape = market.Shape(Load(200, 1, "record", 3), tls=True, bars=bars)
    with servers() as found:
        results, others = (each.prepare(shape, found).results() or () for each in (ours, rival))
        assert ours.prepare(shape, found).measure().value > 0
    require_equal("market", ours.name, results, rival.name, others)
    if not bars:
        assert Counter(each[1:] for each in results) == Counter(astuple(event) for _, event in sent)


def test_a_schedule_is_kept() -> None:
    """All events come, in order; none is due before its time."""
    with process(schedule.serve) as pipe:
        port = port_of(pipe)
        with collecting(40) as (goal, kept):
            CGRX.receive(f"ws://127.0.0.1:{port}{Schedule(40, 2000).resource}", None, goal)
    assert [event.volume_usd for event in kept] == list(range(1, 41))
    assert [int(b.price - a.price) for a, b in pairwise(kept)] == [500] * 39
    assert kept[-1].price < schedule.now_us()


def test_channels_of_a_schedule_take_turns() -> None:
    """Each event comes on its channel, once."""
    asked = Schedule(40, 4_000, channels=7)
    with process(schedule.serve) as pipe:
        assert channels.Listening(MARKET_CLIENTS[0], asked, port_of(pipe)).results() == list(range(1, 41))
    assert [name.encode() in frame for name, frame in zip(asked.names, asked.frames(0)[1], strict=False)] == [True] * 7


def test_a_mortal_sender_dies_in_every_way_and_tells_when() -> None:
    from benchmarks.recovery import Series, Survivor, _cgrx  # pyright: ignore[reportPrivateUsage] - the client of ours

    series = Series(deaths=len(mortal.DEATHS) + 1, jitter=False)
    survivor = Survivor(series.deaths)
    with process(mortal.serve) as pipe:
        _cgrx(f"ws://127.0.0.1:{port_of(pipe)}/", series, survivor)
    assert len(survivor.delays_ms) == series.deaths
    assert min(survivor.delays_ms) > 0
    assert survivor.disorder == 0


def test_every_scenario_is_on_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.stem for path in (plan.ROOT / "benchmarks").glob("[!_]*.py")}
    assert files == set(SCENARIOS)
    assert list_command() == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_one_question_and_one_of_ours(name: str) -> None:
    """A quick run has cases too, and all rivals have names of their own."""
    found = load(f"benchmarks.{name}")
    assert found.question.endswith("?")
    assert found.ours == "cgrx"
    assert len({rival.name for rival in found.rivals}) == len(found.rivals)
    for quick in (True, False):
        cases = found.cases(quick)
        assert len({case.name for case in cases}) == len(cases) > 0


def test_a_file_that_is_no_run_ends_the_command_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "run", "decode", "--compare", str(plan.ROOT / "README.md")])
    assert main() == 2
    assert "README.md" in capsys.readouterr().err
