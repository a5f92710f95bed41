"""What a command writes to and how it ends: streams, screen, progress, exit codes.

May import `_model`, `_streams`, `_feed`, `_simulator`.

Read `streams` first, then `output`, `screen` and `bar`, three ways of writing to them; `reports` says in lines what a
feed reports; `exits` and `tasks` are how a command ends; `text` and `fault_text` are words for people.
"""
