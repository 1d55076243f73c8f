"""Rounding half up, exactly, and only for display."""

from __future__ import annotations

from fractions import Fraction


def half_up(value: Fraction, decimals: int) -> str:
    """``value`` with ``decimals`` places; a half goes away from zero, as in decimal's ROUND_HALF_UP."""
    scaled = abs(value) * 10**decimals
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    whole, rest = divmod(units, 10**decimals)
    sign = "-" if value < 0 and units else ""
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"
