"""The four formats: what they show, that hostile names steer nothing, and the JSON's schema."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest
from cohort import team
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge.load import load_challenge
from harness.documents.finding import ChallengeRef
from harness.documents.leaderboard import Leaderboard, Unscored
from harness.documents.report import DimensionScore, JudgeRef, ScoreReport
from harness.ranking.final import cell_weights
from harness.ranking.table import leaderboard
from harness.reporting.hostile_text import for_csv, for_json, for_markdown, visible
from harness.reporting.leaderboard import FORMATS, render
from harness.resources import schema_path

CHALLENGE = load_challenge()
TRACK = CHALLENGE.tracks["track1"]
VOICE = {"vocal_empathy_congruence", "audio_quality_naturalness"}
SMALL = JudgeRef("small", "sha256:" + "ab" * 32, False, tuple(f"task4.{name}" for name in sorted(VOICE)))
HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2",
    "＝1",
    "\x1b[31mred\x1b[0m",
    "\x9b2J",
    "\u202egnp.exe",
    "a|b|c",
    "<script>alert(1)</script>",
    "[click](http://evil.example)",
    "![x](https://evil.example/x.png)",
    "line\nbreak\r| 1 | fake | 9.99 |",
    "tag\U000e0041\U000e0042",
    "Z" + "\u0301" * 50,
    "`code` **bold** _it_ ~~no~~ &amp; www.evil.example",
    "\u2028\u2029\x00\x7f\u200b\ufeff\u00ad",
]


def report(team: str, total: int, name: str = "", **more: Any) -> ScoreReport:
    entries = tuple(
        DimensionScore(
            task=t, language=lang, dimension=d, mean=None, sum=None, n=0, source="judge", counts={"not_judged": 6}
        )
        if d in VOICE
        else DimensionScore(
            task=t, language=lang, dimension=d, mean=total / 6, sum=total, n=6, source="judge", counts={"scored": 6}
        )
        for lang, t, d in cell_weights(CHALLENGE, TRACK)
    )
    return ScoreReport(
        schema_version=1,
        team=team,
        display_name=name or team.title(),
        system=name or "one",
        track="track1",
        policy="strict",
        challenge=ChallengeRef(CHALLENGE.id, CHALLENGE.digest),
        judge=SMALL,
        dimensions=entries,
        **more,
    )


def lazy() -> ScoreReport:
    found = report("lazy", 12)
    counts = {"scored": 3, "missing": 1, "language_mismatch": 2}
    return replace(
        found,
        dimensions=tuple(
            replace(d, counts=counts) if d.language == "zh" and d.task == "task3" else d for d in found.dimensions
        ),
    )


def board(*extra: ScoreReport, unscored: Any = ()) -> Leaderboard:
    reports = [report("careful", 25, "细心队 Careful"), lazy(), report("after", 20, late=True), *extra]
    return leaderboard(reports, CHALLENGE, "track1", unscored=unscored)


def shown(format_: str, found: Leaderboard | None = None, **more: Any) -> str:
    return render(found or board(), CHALLENGE, format_, **more).decode()


def columns_of(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_table_keeps_its_columns_with_wide_characters() -> None:
    lines = shown("table").splitlines()
    rule = next(line for line in lines if line.startswith("---"))
    starts = [match.start() for match in re.finditer("-+", rule)]
    careful = next(line for line in lines if "细心队" in line)
    other = next(line for line in lines if re.match(r"\s+2\s+lazy", line))
    before = careful[: careful.index("4.17")]
    assert columns_of(before) == columns_of(other[: other.index("2.00")])
    assert columns_of(careful[: careful.index("细")]) == starts[2]


def test_table_says_under_what_conditions_it_holds() -> None:
    text = shown("table")
    for phrase in (
        "PROVISIONAL",
        "NOT OFFICIAL",
        "policy strict, phase auto, judge small abababababab, not official",
        "50 % of the weight is not judged",
        "task4.vocal_empathy_congruence 25 %",
    ):
        assert phrase in text
    assert "late" in next(line for line in text.splitlines() if " after " in line)


def test_every_number_has_its_items_behind_it() -> None:
    text = shown("table")
    block = text[text.index("Items behind the numbers") :]
    assert re.search(r"^lazy .*6 \(1m 2l\)", block, re.MULTILINE)
    assert re.search(r"^careful .*0 \(6u\)", block, re.MULTILINE)
    assert "m missing, l language mismatch (with the lowest mark, inside n); u not judged (outside n)" in block


def test_teams_without_a_score_stand_below_in_every_format() -> None:
    found = board(
        replace(report("waits", 30), complete=False), unscored=[Unscored(team="gone", reason="run timed_out")]
    )
    for format_ in FORMATS:
        text = shown(format_, found)
        assert "gone" in text and "run timed_out" in text.replace("\\", "")
        assert "judgement(s) failed" in text
    table = shown("table", found)
    assert "INCOMPLETE" in table
    assert table.index("careful") < table.index("Without a final score") < table.index("gone")


def test_json_keeps_its_schema_and_flattens_the_languages() -> None:
    plain = json.loads(shown("json", board(unscored=[Unscored(team="gone", reason="run failed")])))
    schema = json.loads(schema_path("leaderboard").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(plain)
    first, last = plain["rows"][0], plain["rows"][-1]
    assert (first["rank"], first["team"], first["display"]["final"]) == (1, "careful", "4.17")
    assert first["zh"] == first["en"] == first["final"] == pytest.approx(25 / 6, abs=1e-12)
    assert first["missing_weight"] == {"task4.vocal_empathy_congruence": 0.25, "task4.audio_quality_naturalness": 0.25}
    assert (last["team"], last["rank"], last["final"], last["zh"]) == ("gone", None, None, None)
    assert (plain["official"], plain["judge"]["profile"]) == (False, "small")


def test_csv_has_a_line_a_team_with_the_items_beside_each_mean() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("csv"))))
    assert [(row["rank"], row["team"], row["late"]) for row in rows] == [
        ("1", "careful", "false"),
        ("", "after", "true"),
        ("2", "lazy", "false"),
    ]
    assert rows[2]["zh.task3.Clarity_Logic"] == "2.00"
    assert rows[2]["zh.task3.Clarity_Logic.n"] == "6"
    assert rows[2]["zh.task3.Clarity_Logic.items"] == "scored=3 missing=1 language_mismatch=2"
    assert rows[0]["en.task4.vocal_empathy_congruence"] == ""


def test_markdown_is_one_table_with_equal_rows() -> None:
    lines = shown("markdown").splitlines()
    table = lines[2:7]
    assert {line.count("|") for line in table} == {table[0].count("|")}
    assert table[2].startswith("| 1 | careful | 细心队 Careful | 4.17 |")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("format_", FORMATS)
def test_a_hostile_name_steers_nothing(format_: str, name: str) -> None:
    found = board(report("hostile", 6, name))
    text = shown(format_, found)
    unsafe = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in unsafe]
    if format_ == "json":
        assert next(row for row in json.loads(text)["rows"] if row["team"] == "hostile")["display_name"] == name
    else:
        clean = shown(format_, board(report("hostile", 6, "tame")))
        assert len(text.splitlines()) == len(clean.splitlines())
    if format_ == "csv":
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if re.match(r"\s*[=+\-@＝＋－＠]", cell)]
    if format_ == "markdown":
        row = next(line for line in text.splitlines() if "| hostile |" in line)
        assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", text.splitlines()[2]))
        assert not re.search(r"(?<!\\)[\[`*]|<|://|www\.", row)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_literal_everywhere(text: str) -> None:
    unsafe = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for escaped in (visible(text), for_markdown(text), for_csv(text)):
        assert not [c for c in escaped if unicodedata.category(c) in unsafe]
    parser = _Tags()
    parser.feed(for_markdown(text))
    assert parser.tags == []
    assert not for_csv(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert json.loads(for_json(json.dumps([text], ensure_ascii=False))) == [text]


def test_a_long_name_is_cut_in_the_terminal_and_kept_in_the_data() -> None:
    found = board(report("long", 6, "very " * 40))
    assert max(columns_of(line) for line in shown("table", found).splitlines()) < 200
    wide = shown("table", board(report("long", 6, "凌云语音" * 20)))
    (name,) = re.findall(r"long\s+(凌\S+…)", wide)
    assert columns_of(name) in (31, 32) and max(map(columns_of, wide.splitlines())) < 200
    assert ("very " * 40).strip() in shown("csv", found)


def test_colour_adds_only_colour() -> None:
    assert re.sub(r"\x1b\[\d+m", "", shown("table", color=True)) == shown("table")
    assert shown("table", color=True) != shown("table")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_board_gives_the_same_bytes(format_: str) -> None:
    assert shown(format_) == shown(format_, board())


def doubted() -> Leaderboard:
    teams = [team("one", 0.5), team("two", 0.52), team("low", 0.1), team("late", 0.3, late=True)]
    items = {found.team: scores for found, scores in teams}
    return leaderboard([found for found, _ in teams], CHALLENGE, "track1", items=items)


def test_doubt_shows_in_every_format() -> None:
    found = doubted()
    one = next(row for row in found.rows if row.team == "one")
    assert (one.rank_low, one.rank_high, one.group) == (1, 2, "a")
    for format_ in ("table", "markdown", "latex"):
        text = shown(format_, found)
        line = next(line for line in text.splitlines() if "1–2" in line)
        assert " a " in line and "[" in line
        assert "the hidden set decides" in text and "10000 draws" in text
    record = next(row for row in csv.DictReader(io.StringIO(shown("csv", found))) if row["team"] == "one")
    assert (record["rank_low"], record["rank_high"], record["group"]) == ("1", "2", "a")
    assert float(record["final_low"]) < float(record["final"]) < float(record["final_high"])
    plain = json.loads(shown("json", found))
    jsonschema.Draft202012Validator(json.loads(schema_path("leaderboard").read_text("utf-8"))).validate(plain)
    assert plain["bootstrap"]["draws"] == 10000 and sum(plain["bootstrap"]["rank_counts"]["one"].values()) == 10000
    assert {(pair["above"], pair["below"]) for pair in plain["separable"] if pair["hidden_set_required"]} in (
        {("one", "two")},
        {("two", "one")},
    )


def test_few_dialogues_and_missing_items_are_said() -> None:
    one, two = team("one", 0.5, n=3), team("two", 0.5, n=3)
    found = leaderboard([one[0], two[0]], CHALLENGE, "track1", items={"one": one[1]})
    text = shown("table", found)
    assert "only 3 dialogues in a language" in text
    assert "no intervals for two" in text
    assert "1–" not in text


def test_latex_has_equal_rows_and_a_hostile_name_is_literal() -> None:
    text = shown("latex", board(report("hostile", 6, r"\input{/etc/passwd} & % $x$ #1 ^~_")))
    rows = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1
    assert r"\input" not in text and r"\textbackslash{}input\{/etc/passwd\} \& \% \$x\$" in text
