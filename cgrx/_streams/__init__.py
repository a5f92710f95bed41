"""The Observable that carries signals, stages, and how streams are merged, shared and put in order.

May import `_model`. Pure: signals in, signals out, on reactivex but without a scheduler of its own.

Read `stream` first (EventStream and Stage), then `observers` (who gives signals, who receives them) and `running`, what
a stage does with them. `chain` runs stages in a row, the first without a call in front where it is `entering`;
`functions` is what `where` and `map` do with a user's function, `conditions` and `predicates` what the other filters
ask of an event, `about` what a stage says of itself, `telling` that in words and as a picture, `counts` what a stream
knows of the running forms of its stages.
`merging` makes one stream of many, `sharing` many of one, `ordering` the order of event time: `order_terms` are its
arguments, `order_merging` is one subscription, and `reordering` the order itself, with `order_sources` (how far all
have come), `by_time` (what is held), `order_out` (what goes on) and `order_stats`;
`offset` compares the clocks of the events with this machine's.
`keeping` is what a subscription has gathered, put away as a value and taken up again.
`subscriber` is the end of a subscription; `runtime` and `observable` tie a chain to the feed that it begins on.
"""
