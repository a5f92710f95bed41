"""The board: what a feed saw, and what it did not see, as a live page.

May import `_extras`, `_model`, `_streams`, `operators._aggregates`, `operators.agg`, `operators._windows`, `operators`,
`_trio`, `_feed`, `_replay`, `_sinks`.

Read `messages` first: what the server and the page say to each other. `options` is what a board is asked to show, and
`bounds` how much of it is kept. `watching` opens a source, or `playing` plays recordings, and `views` is what pages are
shown of it. The pipelines over the feed, in `pipelines`, give `rows`; `names` keeps made-up names from filling them.
They fill a `memory`: the `tape`, the `bubbles`, the `ledger` of volumes by window, the `coverage` of what was missed,
the `happenings` (cascades and alerts), and the `connection`.

How it is served: `board` is the public face. The `audience` has a seat for each browser, with which a `conversation`
is held. `site` is the web application, `files` what it serves of `page/`, `guard` whom it answers. `listening` runs
it, with a bounded `line` for each connection.
"""
