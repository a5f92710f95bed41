"""The three ratios of a run that README quotes."""

import attrs

from benchmarks._harness.results import RunResult
from benchmarks._report.table import ratio, shown_number


@attrs.frozen
class Quote:
    """One ratio, and the words around it."""

    what: str
    scenario: str
    case: str
    rival: str
    named: str


QUOTES = (
    Quote(
        "Twenty channels of trades and liquidations, interleaved, one event a frame, from the socket to a callback",
        "market",
        "TCP, 20 channels of trades and liquidations",
        "trio-websocket + json",
        "trio-websocket with `json`",
    ),
    Quote(
        "The same, over TLS, a frame a record",
        "market",
        "TLS, 20 channels of trades and liquidations",
        "websockets on asyncio + orjson",
        "websockets on asyncio with orjson",
    ),
    Quote(
        "One-second bars by instrument, each event alone",
        "pipelines",
        "bars of a second by instrument, batches of 1",
        "reactivex",
        "reactivex with `group_by` and `scan`",
    ),
)


def lines(result: RunResult) -> str:
    """The quotes as a list.

    Raises:
        ValueError: the run lacks one of the ratios.
    """
    return "\n".join(f"- {quote.what}: {_times(result, quote)} as fast as {quote.named}." for quote in QUOTES)


def _times(result: RunResult, quote: Quote) -> str:
    for scenario in result.scenarios:
        for case in scenario.cases:
            line = case.line(quote.rival)
            if (scenario.name, case.case) == (quote.scenario, quote.case) and line is not None:
                found = ratio(case, line, scenario.ours)
                if found is not None:
                    return f"**{shown_number(found.median)} x**"
    raise ValueError(f"the run has no {quote.scenario}: {quote.case}, {quote.rival}")
