"""From a run record and the check of its outputs to what the team may be told. Pure.

A program that runs on hidden data can choose how it ends, how long it takes and what it writes, and so tell its team
something about the data. What goes back is therefore closed: codes, rough counts, tenths.
"""

from __future__ import annotations

import math
from collections import Counter

from harness.documents.codes import lookup
from harness.documents.finding import ValidationReport
from harness.documents.run_record import RunRecord
from harness.documents.team_notice import NoticeCode, TeamNotice, Times


def team_notice(record: RunRecord, validation: ValidationReport | None) -> TeamNotice:
    """What the team of this run may be told, also when the data is secret."""
    counts = Counter(finding.code for finding in validation.findings) if validation else Counter[str]()
    for code in (*record.codes, *record.warnings):
        counts.setdefault(code, 1)
    return TeamNotice(
        schema_version=1,
        image_id=record.image_id,
        state=record.state,
        fault=record.fault,
        codes=tuple(NoticeCode(code, lookup(code).title, _roughly(count)) for code, count in sorted(counts.items())),
        wanted_host=record.wanted_host,
        time_tenths=_tenths(record.wall_s, record.limits.get("wall_s")) or 0,
        memory_tenths=_tenths(record.peak_memory_bytes, record.limits.get("memory_bytes")),
    )


def _roughly(count: int) -> Times:
    if count < 2:
        return "1"
    return "2-9" if count < 10 else "10-99" if count < 100 else "100+"


def _tenths(used: float | None, limit: float | None) -> int | None:
    return None if used is None or not limit else min(10, math.ceil(10 * used / limit))
