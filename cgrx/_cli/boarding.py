"""`cgrx board`: the command, with its options and help."""

from cyclopts import App

from cgrx._cli.arguments import unusable
from cgrx._cli.board_options import BOARD, PAGE, BoardOptions, PageOptions
from cgrx._cli.commands.board import show_board
from cgrx._cli.options import KEY, SERVICE, ServiceOptions

board_app = App(
    name="board",
    help=(
        "Show the feed, another server (--url), or a recording (--replay) as a live page in the browser, until Ctrl-C."
        f"\n\nThe address of the page is printed to standard error, as all messages are. {KEY}"
    ),
)


@board_app.default
async def board_command(
    *,
    options: BoardOptions = BOARD,
    page: PageOptions = PAGE,
    settings: ServiceOptions = SERVICE,
) -> int:
    """Show a live page.

    Args:
        options: See `BoardOptions`.
        page: See `PageOptions`.
        settings: See `ServiceOptions`.
    """
    request, metrics = options.boarded(page), settings.metrics()
    if options.replay and metrics is not None:
        raise unusable("--metrics-port counts what a live feed does: leave it out, or --replay")
    return await show_board(request, settings.terminal(), metrics)
