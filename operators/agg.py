"""Aggregates: the values that a row holds about the events of its window.

    from cgrx.operators import agg

The value of an aggregate is the same to the byte in whatever order the events come, however they are batched, and
whichever partial results were merged. 0/0 is None.
"""

from cgrx.operators._aggregates.aggregate import Aggregate as Aggregate
from cgrx.operators._aggregates.count import count as count
from cgrx.operators._aggregates.count_distinct import count_distinct as count_distinct
from cgrx.operators._aggregates.custom import custom as custom
from cgrx.operators._aggregates.ewm import ewm as ewm
from cgrx.operators._aggregates.exchanges import dispersion as dispersion
from cgrx.operators._aggregates.exchanges import exchanges as exchanges
from cgrx.operators._aggregates.exchanges import share as share
from cgrx.operators._aggregates.first_last import first as first
from cgrx.operators._aggregates.first_last import last as last
from cgrx.operators._aggregates.largest import largest as largest
from cgrx.operators._aggregates.mean import mean as mean
from cgrx.operators._aggregates.mean import stddev as stddev
from cgrx.operators._aggregates.min_max import max as max
from cgrx.operators._aggregates.min_max import min as min
from cgrx.operators._aggregates.open_high_low_close import close as close
from cgrx.operators._aggregates.open_high_low_close import high as high
from cgrx.operators._aggregates.open_high_low_close import low as low
from cgrx.operators._aggregates.open_high_low_close import open as open
from cgrx.operators._aggregates.quantile import median as median
from cgrx.operators._aggregates.quantile import quantile as quantile
from cgrx.operators._aggregates.risk import max_drawdown as max_drawdown
from cgrx.operators._aggregates.risk import realised_volatility as realised_volatility
from cgrx.operators._aggregates.rolling import change as change
from cgrx.operators._aggregates.rolling import rank as rank
from cgrx.operators._aggregates.rolling import sum as sum
from cgrx.operators._aggregates.rolling import zscore as zscore
from cgrx.operators._aggregates.volume import buy_volume as buy_volume
from cgrx.operators._aggregates.volume import delta as delta
from cgrx.operators._aggregates.volume import imbalance as imbalance
from cgrx.operators._aggregates.volume import sell_volume as sell_volume
from cgrx.operators._aggregates.volume import volume as volume
from cgrx.operators._aggregates.vwap import vwap as vwap
