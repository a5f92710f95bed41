"""The far ends of the sockets: blocking servers on loopback, each in a process of its own, that cost next to nothing.

May import `_harness`.

Read `server` first: the WebSocket handshake, and frames made in advance for `wire`. `schedule` sends each event at its
time for `latency`, `mortal` kills every connection for `recovery`.
"""
