"""What one Track 2 report says: sub-totals of each language and the total delay, rounded where the rules round."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from harness.challenge.duplex import DuplexRules, Group
from harness.documents.report import ScoreReport
from harness.errors import MachineError
from harness.ranking.rounding import half_up

GROUPS: tuple[Group, ...] = ("interruption", "rejection")
DELAYS: tuple[tuple[str, Group | None], ...] = (
    ("stop_latency_s", "interruption"),
    ("response_latency_s", "interruption"),
    ("first_response_delay_s", None),
)
_EXACT = re.compile(r"-?[0-9]{1,40}(/[1-9][0-9]{0,40})?")


@dataclass(frozen=True, slots=True)
class DuplexParts:
    """``groups`` has interruption and rejection by language (0 to 100), ``delay_s`` the total delay; None where a part
    is missing. ``missing`` names what is not there, as "language.measure.scenario"."""

    groups: dict[Group, dict[str, Fraction | None]]
    delay_s: Fraction | None
    missing: tuple[str, ...]

    def total(self, group: Group, decimals: int) -> Fraction | None:
        """The mean over languages, rounded."""
        return _mean(self.groups[group].values(), decimals)


def rounded(value: Fraction, decimals: int) -> Fraction:
    """Half up, as a value again."""
    return Fraction(half_up(value, decimals))


def duplex_parts(report: ScoreReport, languages: Iterable[str], rules: DuplexRules) -> DuplexParts:
    """From the scenario values of a report, or from sub-totals that it gives directly.

    Raises MachineError (E_SCORE) for a stored figure that is no number.
    """
    reader = _Measures(report, rules)
    names = tuple(languages)
    groups = {group: {language: reader.group(group, language) for language in names} for group in GROUPS}
    delay_s = reader.delay_s(names)
    return DuplexParts(groups, delay_s, tuple(reader.missing))


def _mean(values: Iterable[Fraction | None], decimals: int) -> Fraction | None:
    found = list(values)
    known = [value for value in found if value is not None]
    if not known or len(known) < len(found):
        return None
    return rounded(sum(known, Fraction(0)) / len(known), decimals)


class _Measures:
    """Reads the report's measures; whatever is absent is remembered in ``missing``."""

    def __init__(self, report: ScoreReport, rules: DuplexRules) -> None:
        self._report, self._rules, self._plain = report, rules, report.measures
        self.missing: list[str] = []

    def group(self, group: Group, language: str) -> Fraction | None:
        decimals = self._rules.totals.score_decimals
        if group in self._plain:
            found = self._number(self._table(self._plain[group]), language, f"{language}.{group}", top=100)
            return None if found is None else rounded(found, decimals)
        values = self._table(self._table(self._plain.get(language)).get(group))
        scenarios = self._rules.scenarios(group)
        found_values = [self._number(values, name, f"{language}.{group}.{name}", top=1) for name in scenarios]
        places = self._rules.totals.value_decimals
        shares = [None if value is None else 100 * rounded(value, places) for value in found_values]
        return _mean(shares, decimals)

    def delay_s(self, languages: tuple[str, ...]) -> Fraction | None:
        places = self._rules.totals.delay_decimals
        if "total_delay_s" in self._plain or any(group in self._plain for group in GROUPS):
            found = self._number(self._plain, "total_delay_s", "total_delay_s")
            return None if found is None else rounded(found, places)
        means = []
        for measure, group in DELAYS:
            by_scenario = []
            for scenario in self._rules.scenarios(group):
                values = [self._delay(language, measure, scenario) for language in languages]
                by_scenario.append(_mean(values, places))
            known = [value for value in by_scenario if value is not None]
            whole = len(known) == len(by_scenario)
            means.append(sum(known, Fraction(0)) / len(known) if known and whole else None)
        return _mean(means, places)

    def _delay(self, language: str, measure: str, scenario: str) -> Fraction | None:
        """The exact mean where the report has its sum, else the figure read as a decimal."""
        plain = self._table(self._plain.get(language))
        name = f"{language}.{measure}.{scenario}"
        exact = self._table(self._table(plain.get("exact")).get(measure)).get(scenario)
        if exact is None:
            return self._number(self._table(plain.get(measure)), scenario, name)
        if not isinstance(exact, str) or not _EXACT.fullmatch(exact):
            raise self._no_number(name, exact)
        return Fraction(exact)

    def _number(self, table: Mapping[str, Any], key: str, name: str, top: int | None = None) -> Fraction | None:
        value = table.get(key)
        if value is None:
            self.missing.append(name)
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._no_number(name, value)
        found = Fraction(Decimal(repr(value)))
        if top is not None and not 0 <= found <= top:
            raise self._no_number(name, value)
        return found

    def _table(self, value: Any) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._no_number("measures", value)
        return value

    def _no_number(self, name: str, value: object) -> MachineError:
        return MachineError(
            f"a stored score is no number: {self._report.team}, {name} is {value!r}",
            code="E_SCORE",
            hint="score that team again; stored reports must not be edited",
        )
