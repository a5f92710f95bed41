"""Sinks: the systems that rows and events are delivered to, one or two files for each.

May import `_model`, `operators._rows`, `operators._stages`.

`message` makes of an item the line of text that people read in a chat.
"""
