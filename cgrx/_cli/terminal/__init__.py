"""What a command writes to and how it ends: streams, screen, progress, exit codes.

May import `cgrx`, `testing`.

Read `streams` first, then `output`, `screen` and `status`, three ways of writing to them (`redrawing` draws the second
and the third anew, `bar` is a progress bar for the third), and `keyboard`, which reads. `command` runs a command's work
to its end, with `tasks` (a task beside the work) and `exits` (exit codes). `reports` puts into lines what a feed
reports; `text` and `fault_text` are words for people.
"""
