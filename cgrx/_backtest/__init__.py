"""A pipeline on recordings, all at once: as queries over columns where its stages allow it, event by event otherwise.

May import `_extras`, `_model`, `_streams`, `_recording`, `operators._aggregates`, `operators._rows`,
`operators._stages`, `operators._windows`, `_trio`, `_feed`, `_replay`.

Read `backtest` first, the public face, `run`, what it gives, and `plan`, which finds out what a pipeline is made of;
they import without polars. `compile` turns stages into queries: `arrivals` is what goes in, which `recordings` reads,
with its `marks`, and the events of many channels as one `table`; `proofs` is what a union of them has proven;
`expressions` speaks polars, and `engine` runs what it says; `order`, `dedupe` and `windows` are stages in columns, of
which the last groups events in parts between `cuts`;
`offset` compares the clocks; `calm` sees at a glance how far the watermark of most streams had come, by `apart` that no
clock is, by `behind` that no event is late, and `moments`, `course` and `lateness` follow it where that does not
suffice; `quality` is what each window knew when it closed; `runs` are the events behind several filters, and `prepared`
the windows behind all of them, which one query gives; `results` makes rows of columns, and `rest` are the stages that
then take each of them.

In jobs: `jobs` runs the inputs of a last merge each for itself, as `executing` has an executor do it.

Of many parameters: `sweep` is the public face, `combinations` its grid, `swept` what comes out. `part` runs what is run
in one thread; `common` finds the stages with which several pipelines begin, and `together` runs those in one replay.
"""
