"""A server that behaves as CoinGlass's does, over loopback or in memory, with faults on request.

May import `_model`, `_wire`, `_trio`. Public through `cgrx.testing`.

Read `simulator` first, the public face; then `server` and `client`, the two halves of every connection, over
`connection`, a stream that can stall and break. `faults` and `script` say what goes wrong and when; `market` and
`sources` make the events; `access`, `routes` and `frames` are what a server knows of its protocol; `journal` is what a
test asks afterwards; `due` wakes what waits; `pipe` is a loopback connection in memory.
"""
