"""What IPython and notebooks need beside the `_repr_html_` of our values: lists of rows as tables, and live charts.

May import `_model`, `operators._rows`, `_plot`.

Read `table`, which is also what a notebook shows of a list, and `live`, the chart that follows a stream.
"""
