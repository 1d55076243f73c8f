"""The measures of a full-duplex report for a person: every figure with how many stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabulate import tabulate

_COLUMNS = (
    ("value", "value"),
    ("stop", "stop_latency_s"),
    ("response", "response_latency_s"),
    ("first response", "first_response_delay_s"),
)


def measures_text(measures: Mapping[str, Any]) -> list[str]:
    """One table a language: ratios with three places, delays in seconds with three places, n in brackets."""
    blocks = []
    for language, plain in measures.items():
        if not isinstance(plain, dict) or "n" not in plain:
            continue
        rows = []
        for group in ("interruption", "rejection"):
            for scenario, value in plain.get(group, {}).items():
                cells = [_cell(value, plain["n"][group].get(scenario))]
                cells += [_cell(plain[key].get(scenario), plain["n"][key].get(scenario)) for _, key in _COLUMNS[1:]]
                rows.append([language, group, scenario, *cells])
        headings = ["", "", "scenario", *(f"{name}{'' if name == 'value' else ' s'} (n)" for name, _ in _COLUMNS)]
        blocks.append(tabulate(rows, headers=headings, disable_numparse=True))
        if "unranked" in plain:
            told = ", ".join(f"{name} {_cell(each['mean'], each['n'])}" for name, each in plain["unranked"].items())
            blocks.append(f"not ranked: {told}")
        blocks.append("outputs: " + ", ".join(f"{count} {state}" for state, count in plain["outputs"].items()))
    if "note" in measures:
        blocks.append(str(measures["note"]))
    return blocks


def _cell(value: float | None, n: int | None) -> str:
    if n is None:
        return ""
    return f"– ({n})" if value is None else f"{value:.3f} ({n})"
