"""The values that all other rooms share: events, channels, signals, status, errors, limits, and how people write times.

Imports nothing of cgrx. Frozen values and the functions that read them: no clock, no I/O, no trio.

Read `events` and `signals` first, the two things that flow; then `channels` and `instruments`, the names; `status`,
`stats` and `errors`, what a feed says about itself; `limits`, every time-out and bound in one place; `exchanges`, the
table of the known ones and how each is spelled; `spelling`, what a misspelt name was meant to be; `times`, how people
write times. `output_status` holds the statuses of subscribers, recorders and sinks, `told` what all statuses share;
`use_errors` and `data_errors` hold the errors that no connection meets. `plain` makes of all these what JSON and tables
take, `html` what notebooks show, `picture` the boxes of a pipeline.
"""
