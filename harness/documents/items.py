"""Items of one team, read back from items.jsonl: rows as they lie there, and the scores that count."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Any

from harness.documents.report import ITEM_STATES
from harness.errors import MachineError, UsageError

# language, task, dimension, and whether human raters gave the scores.
CellKey = tuple[str, str, str, bool]
# A dialogue's score; None where it does not count under the report's policy.
Scores = dict[CellKey, dict[str, int | Fraction | None]]
_FIELDS = itemgetter("task", "language", "dialogue_id", "dimension", "state", "score")
_STATES = frozenset(ITEM_STATES)
_TEXT = r'"([^"\\\x00-\x1f]*)"'
_PLAIN = _TEXT.replace("(", "").replace(")", "")
_COUNT = "(?:0|[1-9][0-9]{0,8})"
# A line as `humdial score` writes it: canonical JSON, without escapes and fractions.
_LINE = re.compile(
    rf'^\{{"dialogue_id":{_TEXT},"dimension":{_TEXT},"flags":\[(?:{_PLAIN}(?:,{_PLAIN})*)?\],"language":{_TEXT},'
    rf'"score":(null|{_COUNT}),"state":"(?:{"|".join(ITEM_STATES)})","task":{_TEXT},"turn_id":(?:null|{_COUNT})\}}$',
    re.MULTILINE,
)


def read_items(path: Path) -> list[dict[str, Any]]:
    """The rows of one items.jsonl, each with at least task, language, dialogue_id, dimension, score and state.

    Raises UsageError (E_DOCUMENT) for what is no such file, MachineError (E_SCORE) for a score that is no number.
    """
    try:
        text = path.read_text("utf-8").rstrip("\n")
        rows = json.loads(f"[{text.replace(chr(10), ',')}]")
    except (OSError, ValueError, RecursionError) as error:
        raise _no_items(path, str(error)) from error
    if len(rows) != (text.count("\n") + 1 if text else 0):
        raise _no_items(path, "a line holds more than one object")
    try:
        columns = list(zip(*map(_FIELDS, rows), strict=True)) or [()] * 6
    except (KeyError, TypeError) as error:
        raise _no_items(path, f"a line is not a scored item: {error}") from error
    *texts, scores = columns
    if any(set(map(type, text)) - {str} for text in texts) or set(texts[-1]) - _STATES:
        raise _no_items(path, "a task, language, dialogue_id, dimension or state is none")
    if set(map(type, scores)) - {int, float, NoneType} or not all(map(math.isfinite, filter(None, scores))):
        raise MachineError(
            f"{path} holds a stored score that is no number",
            code="E_SCORE",
            hint="score that team again; stored items must not be edited",
        )
    return rows  # type: ignore[no-any-return]


def _no_items(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a file of scored items: {why}",
        code="E_DOCUMENT",
        hint="pass what `humdial score` wrote; `humdial schema show scored-item` prints the rules",
    )


def read_scores(path: Path, team: str) -> Scores:
    """What `scores_by_judge` says of the rows of one file. The scores of a hundred teams are read for every table, so
    lines as this harness writes them are read by one pattern, several times as fast; all others as JSON.

    Raises what `read_items` and `scores_by_judge` raise.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise _no_items(path, str(error)) from error
    lines = _LINE.findall(text)
    if not text.endswith("\n") or len(lines) != text.count("\n"):
        return scores_by_judge(read_items(path), team)
    found: Scores = {}
    for dialogue, dimension, language, score, task in lines:
        try:
            cell = found[language, task, dimension, False]
        except KeyError:
            cell = found[language, task, dimension, False] = {}
        cell[dialogue] = None if score == "null" else int(score)
    if sum(map(len, found.values())) != len(lines):
        return scores_by_judge(read_items(path), team)  # says which item stands twice
    return found


def scores_by_judge(rows: Iterable[Mapping[str, Any]], team: str) -> Scores:
    """What items.jsonl says, as scores of the judge. Raises UsageError (E_DOCUMENT) when an item stands twice."""
    found: Scores = {}
    for task, language, dialogue, dimension, _, score in map(_FIELDS, rows):
        cell = found.setdefault((language, task, dimension, False), {})
        if dialogue in cell:
            raise UsageError(
                f"the items of {team} hold {dialogue} {task}.{dimension} twice",
                code="E_DOCUMENT",
                hint="keep one line a dialogue and dimension",
            )
        cell[dialogue] = Fraction(Decimal(repr(score))) if type(score) is float else score
    return found
