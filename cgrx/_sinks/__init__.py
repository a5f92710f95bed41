"""Sinks: the systems that rows and events are delivered to, one or two files for each.

May import `_extras`, `_model`, `_wire`, `_streams`, `_recording`, `operators._rows`, `operators._stages`, `_trio`,
`_delivery`.

Files: `parquet` writes them by the hour, as `hours` keeps them; `duckdb` keeps a table. `arrow_tables` makes of items
what both write.

PostgreSQL: `postgres` is the function, `postgres_writer` writes batches, each into a `postgres_table`, over a
`postgres_link`, which can be broken; `postgres_dsn` says where, and `postgres_errors` what an error is about.

Streams: `redis` appends entries; `kafka` sends messages to the topic that a `kafka_address` names.

Web services: `places` are where requests go, `answers` what comes back and what it means, and `http` sends them;
`webhook` posts JSON. `message` makes of an item the line of text that people read in a chat, `chat_text` makes it
harmless and short enough, `chat_services` is the table of the chats, and `chat` posts to them.

`targets` reads a text that says where something goes: the table of all of them.
"""
