"""Half up, against an independent oracle: decimal's own rounding on an exact decimal expansion."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ranking.rounding import half_up


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 9), st.integers(0, 4))
def test_terminating_decimals_round_as_decimal_does(units: int, scale: int, places: int) -> None:
    value = Decimal(units).scaleb(-scale)
    wanted = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert half_up(Fraction(value), places) == f"{abs(wanted) if wanted == 0 else wanted:f}"


@settings(deadline=None)
@given(st.fractions(min_value=-100, max_value=100, max_denominator=10**6), st.integers(0, 4))
def test_any_fraction_rounds_to_the_nearest(value: Fraction, places: int) -> None:
    with localcontext() as context:
        context.prec = 60
        expansion = Decimal(value.numerator) / Decimal(value.denominator)
        wanted = expansion.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert Decimal(half_up(value, places)) == wanted


@pytest.mark.parametrize(
    ("value", "shown"),
    [("2.825", "2.83"), ("4.185", "4.19"), ("1.005", "1.01"), ("-0.004", "0.00"), ("-0.005", "-0.01"), ("3", "3.00")],
)
def test_halves(value: str, shown: str) -> None:
    assert half_up(Fraction(value), 2) == shown


def test_no_places_no_point() -> None:
    assert half_up(Fraction(5, 2), 0) == "3"
