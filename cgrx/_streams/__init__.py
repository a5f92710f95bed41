"""The Observable that carries signals, stages, and how streams are merged, shared and put in order.

May import `_model`. Pure: signals in, signals out, on reactivex but without a scheduler of its own.

Read `stream` first (EventStream and Stage), then `running` (what a stage does while it runs, with `about`, what it says
of itself, `conditions` and `predicates`, what filters ask) and `observers` (what stands at the end of a subscription).
`fans` joins and shares streams; `ordering` and `reordering` put several exchanges into the order of event time;
`observable` keeps a chain's runtime behind reactivex's own operators.
"""
