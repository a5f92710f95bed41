"""Aggregates: what a row says of the events of its window.

    from cgrx.operators import agg

Each gives the same value to the byte in whatever order, batches and partial results the events come. 0/0 is None.
"""

from cgrx.operators._aggregates.aggregate import Aggregate as Aggregate
from cgrx.operators._aggregates.custom import custom as custom
from cgrx.operators._aggregates.exchanges import dispersion as dispersion
from cgrx.operators._aggregates.exchanges import exchanges as exchanges
from cgrx.operators._aggregates.exchanges import share as share
from cgrx.operators._aggregates.prices import close as close
from cgrx.operators._aggregates.prices import first as first
from cgrx.operators._aggregates.prices import high as high
from cgrx.operators._aggregates.prices import largest as largest
from cgrx.operators._aggregates.prices import last as last
from cgrx.operators._aggregates.prices import low as low
from cgrx.operators._aggregates.prices import max as max
from cgrx.operators._aggregates.prices import min as min
from cgrx.operators._aggregates.prices import open as open
from cgrx.operators._aggregates.quantile import quantile as quantile
from cgrx.operators._aggregates.sums import buy_volume as buy_volume
from cgrx.operators._aggregates.sums import count as count
from cgrx.operators._aggregates.sums import delta as delta
from cgrx.operators._aggregates.sums import imbalance as imbalance
from cgrx.operators._aggregates.sums import mean as mean
from cgrx.operators._aggregates.sums import sell_volume as sell_volume
from cgrx.operators._aggregates.sums import stddev as stddev
from cgrx.operators._aggregates.sums import volume as volume
from cgrx.operators._aggregates.sums import vwap as vwap
