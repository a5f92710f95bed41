"""From bytes to typed events, and back: everything that knows how a WebSocket message looks.

May import `_model`.

Read in the order of the bytes: `address` and `tls` open the stream, `proxy` and `tunnel` do so through a proxy,
`secret` hides the API key in what comes back, `handshake` reads the server's answer, `frames` cuts data messages out of
the bytes and `tap` puts that under trio-websocket, `transport` hands messages out in batches. `messages` says what a
message can be, `codec` decodes it, and `lenient` says what is wrong with one that does not decode; `reading` does so
for all messages of one read.
"""
