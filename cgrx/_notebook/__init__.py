"""What IPython and notebooks need beside the `_repr_html_` of our values: lists of rows as tables.

May import `_model`, `operators._rows`.

Read `table`, which is also what a notebook shows of a list.
"""
