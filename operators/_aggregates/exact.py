"""Sums that do not depend on the order, the batching or the merging of what is summed, to the byte.

A float sum rounds at every step, so its last digits depend on the order. Here each addend becomes an integer number
of units of 2**-96 and integers add up exactly; the one rounding is the division that gives the result. Scaling by a
power of two is exact too; what an addend holds below 2**-96 (1e-29 dollars) is cut off, by the same amount in any
order. Why not the whole range of floats, 2**-1074: the integers would be ten times as long.
"""

import math
import sys

BITS = 96
UNITS = 1 << BITS
"""How many units make one: dollars, or whatever is summed."""
SCALE = float(UNITS)
"""The same as a float: `trunc(x * SCALE)` is a number in units, for all but the largest floats.

So is `int(x * SCALE)`, which takes twice as long: a call of a type looks for a way to make one of whatever it is given.
"""
UNIT = 1 / SCALE
"""One of them as a float. A product with a power of two rounds as a quotient by UNITS does, and takes less time."""


def units(value: float) -> int:
    """A finite float in units, also where the scaling would overflow."""
    try:
        return math.trunc(value * SCALE)
    except OverflowError:  # above 2**928, where every float is an integer
        return int(value) << BITS


def number_units(value: float) -> int:
    """A finite number in units, exactly where it is an integer.

    Raises:
        ValueError: it is not finite.
    """
    if isinstance(value, int):
        return value << BITS
    if not math.isfinite(value):
        raise ValueError(f"{value!r} cannot be added up: it is not finite")
    return units(value)


def quotient_units(dividend: float, divisor: float) -> int:
    """`dividend / divisor` in units, also where the quotient of two finite floats is none."""
    value = dividend / divisor
    if math.isfinite(value):
        return units(value)
    above, below = dividend.as_integer_ratio()
    by, over = divisor.as_integer_ratio()
    return (above * over << BITS) // (below * by)


def quotient(dividend: int, divisor: int) -> float | None:
    """The correctly rounded quotient, None for a divisor of 0, infinite beyond the range of floats."""
    if not divisor:
        return None
    try:
        return dividend / divisor
    except OverflowError:
        return math.inf if dividend > 0 else -math.inf


def amount(in_units: int) -> float:
    """A sum in units as a correctly rounded float; infinite beyond the range of floats."""
    try:
        return in_units * UNIT
    except OverflowError:  # too large for a float, which the quotient may not be
        found = quotient(in_units, UNITS)
        assert found is not None
        return found


def root(dividend: int, divisor: int) -> float:
    """The square root of a quotient of integers, correctly rounded.

    An integer root of more bits than a float holds, whose last bit says whether it is inexact, rounds like the exact
    one (round to odd: Boldo and Melquiond 2008, https://doi.org/10.1109/TC.2007.70819).
    """
    shift = (dividend.bit_length() - divisor.bit_length() - 2 * sys.float_info.mant_dig - 3) // 2
    if shift >= 0:
        return float(_odd_root(dividend, divisor << 2 * shift) << shift)
    return _odd_root(dividend << -2 * shift, divisor) / (1 << -shift)


def _odd_root(dividend: int, divisor: int) -> int:
    found = math.isqrt(dividend // divisor)
    return found | (found * found * divisor != dividend)
