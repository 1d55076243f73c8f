"""One bad submission for every rule, and the good one beside it: the code, the place, the severity."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import made
import pytest

from harness.documents.finding import Finding
from harness.submission import Outcome, check, read_references

T2, T4 = "zh/task2.jsonl", "zh/task4.jsonl"
FIRST = made.ids("task2", "zh")[0]
FOURTH = made.ids("task4", "zh")[0]
WAV = f"zh/task4/{FOURTH}_1_response.wav"
Change = Callable[[made.Files], object]


@dataclass(frozen=True)
class Case:
    """``change`` breaks a valid submission; ``code`` must then be found at ``file`` and ``line``."""

    code: str
    change: Change
    file: str | None = T2
    line: int | None = None
    layout: str = "seed"
    options: dict[str, Any] = field(default_factory=dict)
    alone: bool = True  # whether no other code may appear


def lines(path: str, edit: Callable[[list[Any]], object]) -> Change:
    """Edit the parsed lines of one JSONL."""

    def change(files: made.Files) -> None:
        rows = [json.loads(row) for row in files[path].splitlines()]
        edit(rows)
        files[path] = made.jsonl(rows)

    return change


def turn(number: int, **fields: object) -> Change:
    """Set fields of one turn (from 1) of the first dialogue of zh/task2; ... removes a field."""

    def edit(rows: list[Any]) -> None:
        row = rows[0]["turns"][number - 1]
        row.update(fields)
        for key in [key for key, value in row.items() if value is ...]:
            del row[key]

    return lines(T2, edit)


def raw(data: bytes, path: str = T2) -> Change:
    """Put one line of bytes before the others."""
    return lambda files: files.update({path: data + b"\n" + files[path]})


def put(path: str, data: bytes) -> Change:
    return lambda files: files.update({path: data})


def drop(path: str) -> Change:
    return lambda files: files.pop(path)


def manifest(**changes: object) -> Change:
    return put("submission.json", made.manifest(**changes))


def audio(path: str, value: object) -> Change:
    return lines(T4, lambda rows: rows[0]["turns"][0].update(response_audio=value))


def swap(rows: list[Any]) -> None:
    rows[0]["turns"][0], rows[0]["turns"][1] = rows[0]["turns"][1], rows[0]["turns"][0]


def rename_pdf(files: made.Files, name: str) -> None:
    old = next(path for path in files if path.endswith(".pdf"))
    files[f"{old.rpartition('/')[0]}/{name}".lstrip("/")] = files.pop(old)


CASES = [
    # layout and names
    Case("E_LAYOUT_MISSING", drop(T2)),
    Case("E_LAYOUT_MISSING", drop(WAV), WAV),
    Case("E_LAYOUT_MISSING", lambda f: f.update({WAV[:-3] + "WAV": f.pop(WAV)}), WAV, alone=False),
    Case("E_LAYOUT_MISSING", drop("submission.json"), "submission.json"),
    Case("E_LAYOUT_MISSING", drop("system_description.pdf"), "system_description.pdf"),
    Case("E_LAYOUT_UNKNOWN", lambda f: [f.pop(p) for p in list(f) if "task" in p or p == "submission.json"], None),
    Case("E_LAYOUT_EXTRA", put("zh/task4.zip", b"PK"), "zh/task4.zip"),
    Case("W_LAYOUT_EXTRA", put("zh/notes.txt", b"x"), "zh/notes.txt"),
    Case("W_ARC_JUNK", put("zh/.DS_Store", b"x"), None),
    Case("W_ARC_WRAPPED", lambda f: [f.update({f"upload/{p}": f.pop(p)}) for p in list(f)], None),
    Case("E_NAME", put("zh/aux.wav", b"x"), "zh/aux.wav"),
    Case("E_NAME", put("zh/trailing.", b"x"), "zh/trailing."),
    Case("E_NAME", put("zh/" + "n" * 129, b"x"), "zh/" + "n" * 129),
    # system description
    Case("E_PDF_BROKEN", put("system_description.pdf", b"PK\x03\x04 a renamed docx"), "system_description.pdf"),
    Case("E_PDF_BROKEN", put("system_description.pdf", made.pdf()[:60]), "system_description.pdf"),
    Case("E_PDF_PAGES", put("system_description.pdf", made.pdf(1)), "system_description.pdf"),
    Case("E_PDF_MANY", lambda f: (rename_pdf(f, "a.pdf"), f.update({"b.pdf": made.pdf()})), None, alone=False),
    Case("W_PDF_NAME", lambda f: rename_pdf(f, "paper.pdf"), "paper.pdf"),
    Case("W_PDF_NAME", lambda f: rename_pdf(f, "beta-lab.pdf"), "HD-Track1/beta-lab.pdf", layout="release"),
    # submission.json
    Case("E_TEAM_NAME", manifest(team="../alpha"), "submission.json"),
    Case("E_TEAM_NAME", manifest(team="Alpha"), "submission.json"),
    Case("E_TEAM_NAME", manifest(team="a" * 33), "submission.json"),
    Case(
        "E_TEAM_NAME",
        lambda f: rename_pdf(f, "甲_System_Description.pdf"),
        "HD-Track1/甲_System_Description.pdf",
        layout="release",
    ),
    Case("E_MANIFEST_TRACK", manifest(tracks=["track9"]), "submission.json", alone=False),
    Case("E_MANIFEST_LANGUAGE", manifest(languages=["de"]), "submission.json"),
    Case("E_MANIFEST_RESOURCES", manifest(resources=...), "submission.json"),
    Case("E_MANIFEST_DECLARATIONS", manifest(declarations=...), "submission.json"),
    Case("W_DECLARED_NO", manifest(declarations={"single_model": False}), "submission.json"),
    Case("E_SCHEMA_VALUE", manifest(schema_version=2), "submission.json"),
    Case("E_SCHEMA_MISSING", manifest(team=...), "submission.json"),
    Case("E_SCHEMA_TYPE", manifest(tracks="track1"), "submission.json"),
    Case("W_SCHEMA_EXTRA", manifest(score=5), "submission.json"),
    Case("E_JSON_SYNTAX", put("submission.json", b'{"schema_version": 1,\n "team": }'), "submission.json", 2),
    Case("E_JSON_DUP", put("submission.json", b'{"team": "a-1", "team": "b-1"}'), "submission.json", 1),
    # JSON
    Case("E_JSON_BOM", lambda f: f.update({T2: b"\xef\xbb\xbf" + f[T2]}), line=1, alone=False),
    Case("E_JSON_UTF8", raw(b'{"dialogue_id": "\xff"}'), line=1),
    Case("E_JSON_UTF8", raw('{"dialogue_id": "d"}'.encode("utf-16-le")), line=1),
    Case("E_JSON_NUM", raw(b'{"dialogue_id": NaN}'), line=1),
    Case("E_JSON_NUM", raw(b'{"dialogue_id": 1e999}'), line=1),
    Case("E_JSON_NUM", raw(b'{"dialogue_id": ' + b"9" * 5000 + b"}"), line=1),
    Case("E_JSON_DEPTH", raw(b"[" * 100_000), line=1),
    Case("E_JSON_DEPTH", raw(b'{"dialogue_id": ' + b"[" * 16 + b"]" * 16 + b"}"), line=1),
    Case("E_JSON_LINE", raw(b"[" + b"[]," * 3_000_000 + b"1]"), line=1),
    Case("E_JSON_VALUES", lambda f: f.update({T2: f[T2] + (b"[" + b"[]," * 340_000 + b"0]\n") * 4}), alone=False),
    Case("E_JSON_FAULTS", lambda f: f.update({T2: f[T2] + b"1\n" * 20_002}), alone=False),
    Case("E_JSON_COUNT", lambda f: f.update({T2: f[T2] + b"1\n" * 100_000}), alone=False),
    Case("E_JSON_EMPTY", put(T2, b""), alone=False),
    Case("E_JSON_SURROGATE", raw(rb'{"dialogue_id": "\ud83d"}'), line=1),
    Case("E_JSON_SYNTAX", raw(b"{'dialogue_id': 1}"), line=1),
    Case("E_JSON_SYNTAX", raw(b"{} {}"), line=1),
    Case("E_JSON_SYNTAX", raw(b""), line=1),
    Case("E_JSON_DUP", raw(b'{"dialogue_id": "a", "dialogue_id": "b"}'), line=1),
    # shape
    Case("E_SCHEMA_TYPE", raw(b"[]"), line=1),
    Case("E_SCHEMA_TYPE", turn(1, turn_id=True), line=1, alone=False),
    Case("E_SCHEMA_TYPE", turn(1, turn_id=1.0), line=1, alone=False),
    Case("E_SCHEMA_TYPE", turn(1, turn_id="1"), line=1, alone=False),
    Case("E_SCHEMA_TYPE", turn(1, turn_id=2**63), line=1, alone=False),
    Case("E_SCHEMA_TYPE", turn(1, turn_id=None), line=1, alone=False),
    Case("E_SCHEMA_TYPE", turn(1, response_text=None), line=1, alone=False),
    Case("E_SCHEMA_MISSING", turn(1, response_text=...), line=1),
    Case("E_SCHEMA_VALUE", raw(b'{"dialogue_id": "", "turns": []}'), line=1),
    Case("E_SCHEMA_EXTRA", turn(1, **{f"key{n}": n for n in range(65)}), line=1, alone=False),
    Case("W_SCHEMA_EXTRA", turn(1, score=5, __proto__={})),
    Case("W_SCHEMA_IGNORED", turn(1, text="hello", emotion="happy")),
    # dialogues and turns
    Case("E_ID_NAME", raw(b'{"dialogue_id": "../d", "turns": [{"turn_id": 1, "response_text": "x"}]}'), line=1),
    Case("E_ID_UNKNOWN", lines(T2, lambda rows: rows[0].update(dialogue_id=FIRST.upper())), line=1, alone=False),
    Case("E_ID_UNKNOWN", lines(T2, lambda rows: rows[0].update(dialogue_id="tаsk2")), line=1, alone=False),
    Case("E_ID_MISSING", lines(T2, lambda rows: rows.pop())),
    Case("E_ID_DUP", lines(T2, lambda rows: rows.append(rows[0])), line=3),
    Case("E_TURN_ORDER", lines(T2, swap), line=1),
    Case("E_TURN_DUP", turn(2, turn_id=1), line=1, alone=False),
    Case("E_TURN_UNKNOWN", turn(3, turn_id=4), line=1, alone=False),
    Case("E_TURN_MISSING", lines(T2, lambda rows: rows[0]["turns"].pop()), line=1),
    # reply text
    Case("E_TEXT_EMPTY", turn(1, response_text=" \u3000"), line=1),
    Case("I_EMPTY", turn(3, response_text=""), line=1),
    Case("I_EMPTY", turn(3, response_text="……"), line=1),
    Case("I_TOOSHORT", turn(3, response_text="Solution"), line=1),
    Case("I_LANGUAGE", turn(3, response_text="You went from joy to grief."), line=1),
    Case("I_ECHO", turn(3, response_text=made.USERS["zh"][2]), line=1),
    Case("E_TEXT_LEN", turn(1, response_text="好" * 4001), line=1),
    Case("E_TEXT_LEN", turn(1, response_text="好" * 50_000), line=1),
    Case("E_TEXT_CTRL", turn(1, response_text="好的\u0000，我在听"), line=1),
    Case("E_TEXT_CTRL", turn(1, response_text="好的\u0085，我在听"), line=1),
    Case("E_TEXT_COMBINING", turn(1, response_text="我在听 e" + "\u0301" * 1000), line=1),
    Case("W_TEXT_INVISIBLE", turn(1, response_text="我\u200b在听你说"), line=1),
    Case("F_INVISIBLE", turn(1, response_text="我在听你说" + "\U000e0041" * 6), line=1, alone=False),
    Case("W_TEXT_NEWLINE", turn(1, response_text="我在\r\n听你说"), line=1),
    Case("W_TEXT_SEPARATOR", turn(1, response_text="我在\u2028听你说"), line=1),
    # reply audio
    *[
        Case("E_PATH", audio(T4, value), T4, 1)
        for value in (
            "../x.wav",
            "/etc/passwd",
            "http://example.org/x.wav",
            "file:x.wav",
            "data:audio/wav,x",
            "concat:a|b",
            "|cmd",
            "\\\\host\\x.wav",
            "task4/../../x.wav",
            "C:\\x.wav",
        )
    ],
    Case("W_AUDIO_PATH", audio(T4, "turn1_response.wav"), T4),
    Case(
        "E_AUDIO_SHARED",
        lines(T4, lambda rows: [t.update(response_audio="task4/one.wav") for t in rows[0]["turns"]]),
        T4,
        1,
        alone=False,
    ),
    Case(
        "F_CONST_AUDIO",
        lambda f: (
            f.update({T4: f[T4] + made.jsonl([made.line("x", made.turns("zh"))])}),
            [f.update({p: made.wav()}) for p in list(f) if p.startswith("zh/task4/")],
            [f.update({f"zh/task4/x_{n}_response.wav": made.wav()}) for n in (1, 2, 3)],
        ),
        WAV,
        options={"expected": None},
    ),
    Case("E_WAV_FORMAT", put(WAV, b""), WAV),
    Case("E_WAV_SILENT", put(WAV, made.wav(level=0)), WAV),
    Case("E_WAV_DUR", put(WAV, made.wav(0.01)), WAV),
]


def run(tmp_path: Path, files: made.Files, layout: str = "seed", **options: Any) -> Outcome:
    folder = made.write(tmp_path / "sub", files)
    if "expected" not in options:
        made.write(tmp_path / "in", made.inputs(layout))
        options["expected"] = read_references(tmp_path / "in", made.CHALLENGE, need_labels=True).dialogues
    return check(folder, made.CHALLENGE, **options)


def described(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{f.file}:{f.line}: {f.code} {f.message}" for f in findings]


@pytest.mark.parametrize("layout", ["seed", "release"])
def test_a_good_submission_has_no_finding(tmp_path: Path, layout: str) -> None:
    outcome = run(tmp_path, made.submission(layout), layout)
    assert described(outcome.report.findings) == []
    assert outcome.report.valid
    assert outcome.submission is not None
    assert (outcome.submission.layout, outcome.submission.track) == (layout, "track1")
    assert len(outcome.submission.dialogues) == 12
    assert outcome.report.checked.dialogues == 12
    assert outcome.report.checked.audio_seconds == pytest.approx(3.6)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_each_fault_gets_its_code_and_place(tmp_path: Path, case: Case) -> None:
    files = made.submission(case.layout)
    case.change(files)
    outcome = run(tmp_path, files, case.layout, **case.options)
    found = [finding for finding in outcome.report.findings if finding.code == case.code]
    assert found, described(outcome.report.findings)
    assert found[0].file == case.file
    if case.line is not None:
        assert found[0].line == case.line
    assert outcome.report.valid == (not any(f.severity == "error" for f in outcome.report.findings))
    if case.code.startswith("E_"):
        assert not outcome.report.valid
    if case.alone:
        assert {finding.code for finding in outcome.report.findings} == {case.code}, described(outcome.report.findings)


def test_everything_is_found_in_one_pass(tmp_path: Path) -> None:
    files = made.submission()
    for change in (turn(1, response_text=None), drop(WAV), manifest(team="X"), raw(b"{", "en/task3.jsonl")):
        change(files)
    codes = {finding.code for finding in run(tmp_path, files).report.findings}
    assert codes == {"E_SCHEMA_TYPE", "E_TURN_MISSING", "E_LAYOUT_MISSING", "E_TEAM_NAME", "E_JSON_SYNTAX"}


def test_a_missing_file_comes_with_the_name_that_is_nearly_right(tmp_path: Path) -> None:
    files = made.submission()
    files[WAV[:-3] + "WAV"] = files.pop(WAV)
    files["zh/tasks2.jsonl"] = files.pop(T2)
    hints = {f.file: f.hint for f in run(tmp_path, files).report.findings if f.code == "E_LAYOUT_MISSING"}
    assert "response.WAV" in hints[WAV]
    assert "zh/tasks2.jsonl" in hints[T2]


def test_a_draft_may_be_incomplete(tmp_path: Path) -> None:
    files = made.submission()
    for change in (
        drop("system_description.pdf"),
        drop(T2),
        drop(WAV),
        manifest(resources=..., declarations=...),
        lines("en/task3.jsonl", lambda rows: rows.pop()),
    ):
        change(files)
    report = run(tmp_path, files, draft=True).report
    assert report.valid, described(report.findings)
    assert {f.code for f in report.findings} == {"E_LAYOUT_MISSING", "E_ID_MISSING"}
    assert {f.severity for f in report.findings} == {"warning"}


def test_the_published_policy_only_warns_of_missing_declarations(tmp_path: Path) -> None:
    files = made.submission()
    manifest(resources=..., declarations=...)(files)
    report = run(tmp_path, files, policy="published").report
    assert report.valid
    assert {f.code for f in report.findings} == {"E_MANIFEST_RESOURCES", "E_MANIFEST_DECLARATIONS"}


def test_aliases_are_read_and_the_alias_wins_when_it_is_not_empty(tmp_path: Path) -> None:
    files = made.submission()
    turn(1, response_text="不是这个", response_txt="是这个，我在听。")(files)
    turn(2, response_text="是这个，我在听。", response_txt="")(files)
    outcome = run(tmp_path, files)
    assert outcome.report.valid
    assert outcome.submission is not None
    dialogue = next(d for d in outcome.submission.dialogues if d.dialogue_id == FIRST)
    assert [t.text for t in dialogue.turns[:2]] == ["是这个，我在听。", "是这个，我在听。"]


def test_the_team_of_a_release_comes_from_the_pdf_the_caller_or_the_manifest(tmp_path: Path) -> None:
    files = made.submission("release")
    outcome = run(tmp_path / "pdf", files, "release")
    assert outcome.submission is not None
    assert (outcome.submission.team, outcome.submission.display_name) == ("alpha-lab", "Alpha Lab")
    outcome = run(tmp_path / "caller", files, "release", team="beta-2")
    assert outcome.submission is not None
    assert outcome.submission.team == "beta-2"
    files["HD-Track1/submission.json"] = made.manifest(team="gamma-3")
    outcome = run(tmp_path / "manifest", files, "release", team="beta-2")
    assert outcome.submission is not None
    assert outcome.submission.team == "gamma-3"


def test_an_excluded_dialogue_is_asked_of_nobody(tmp_path: Path) -> None:
    """The exclusion is scoped to one layout and task: there it may be absent or broken, elsewhere it may not."""
    name = made.CHALLENGE.exclusions[0].ids[0]
    gone = made.inputs("release")
    row = made.line(name, [{"turn_id": 1, "text": "x", "emotion": "sad"}])
    gone["en/HD-Track1-T2.jsonl"] += made.jsonl([row])
    made.write(tmp_path / "gone", gone)
    expected = read_references(tmp_path / "gone", made.CHALLENGE, need_labels=True).dialogues
    assert any(dialogue.dialogue_id == name for dialogue in expected)
    assert run(tmp_path / "a", made.submission("release"), "release", expected=expected).report.valid
    elsewhere = made.inputs("release")
    elsewhere["en/HD-Track1-T1.jsonl"] += made.jsonl([row])
    made.write(tmp_path / "elsewhere", elsewhere)
    expected = read_references(tmp_path / "elsewhere", made.CHALLENGE, need_labels=True).dialogues
    report = run(tmp_path / "b", made.submission("release"), "release", expected=expected).report
    assert [f.code for f in report.findings] == ["E_ID_MISSING"]


def test_an_empty_reply_after_the_judged_turn_is_no_error(tmp_path: Path) -> None:
    """With the labels it is known that turn 2 of task 4 is judged (happy, sad: the second that is not neutral)."""
    files = made.submission()
    lines(T4, lambda rows: rows[0]["turns"][1].update(response_text=""))(files)
    with_labels = run(tmp_path / "a", files).report
    assert with_labels.valid
    assert {f.code for f in with_labels.findings} == {"I_EMPTY"}
    made.write(tmp_path / "bare", made.inputs(labels=False))
    bare = read_references(tmp_path / "bare", made.CHALLENGE, need_labels=False).dialogues
    assert {f.code for f in run(tmp_path / "b", files, expected=bare).report.findings} == {"E_TEXT_EMPTY"}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (drop(WAV), "missing"),
        (put(WAV, b""), "invalid"),
        (put(WAV, made.wav(level=0)), "silent"),
        (put(WAV, made.wav()[:-3]), "invalid"),
    ],
)
def test_what_an_image_leaves_out_costs_the_item_only(tmp_path: Path, change: Change, state: str) -> None:
    files = made.submission()
    for remove in ("submission.json", "system_description.pdf"):
        del files[remove]
    change(files)
    outcome = run(tmp_path, files, from_image=True)
    assert outcome.report.valid, described(outcome.report.findings)
    assert {f.severity for f in outcome.report.findings} == {"warning"}
    assert outcome.submission is not None
    dialogue = next(d for d in outcome.submission.dialogues if d.dialogue_id == FOURTH)
    assert [t.audio.state for t in dialogue.turns if t.audio] == [state, "ok", "ok"]


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (turn(1, response_text=""), ["", "…", "…"]),
        (turn(3, response_text=""), ["…", "…", ""]),
        (turn(1, response_text="好" * 5000), [None, "…", "…"]),
        (turn(2, response_text="a\u0000b"), ["…", None, "…"]),
        (turn(2, response_text=...), ["…", None, "…"]),
        (turn(2, response_text=5), ["…", "…"]),
        (lines(T2, lambda rows: rows[0]["turns"].pop()), ["…", "…"]),
        (lines(T2, lambda rows: rows.pop(0)), None),
        (lines(T2, lambda rows: rows.append(rows[0])), None),
        (lines(T2, lambda rows: rows[0].update(dialogue_id="unknown")), None),
        (lines(T2, swap), ["…", "…", "…"]),
    ],
)
def test_text_faults_of_an_image_cost_the_item_only(
    tmp_path: Path, change: Change, texts: list[str | None] | None
) -> None:
    files = made.submission()
    change(files)
    outcome = run(tmp_path, files, from_image=True)
    assert outcome.report.valid, described(outcome.report.findings)
    assert outcome.report.findings
    assert outcome.submission is not None
    found = [d for d in outcome.submission.dialogues if d.dialogue_id == FIRST]
    if texts is None:
        assert found == []
    else:
        assert ["…" if t.text else t.text for t in found[0].turns] == texts
        assert [t.turn_id for t in found[0].turns] == sorted(t.turn_id for t in found[0].turns)


def test_an_unreadable_file_of_an_image_is_an_error(tmp_path: Path) -> None:
    files = made.submission()
    del files["submission.json"], files["system_description.pdf"]
    raw(b'{"a": NaN}')(files)
    outcome = run(tmp_path, files, from_image=True)
    assert [(f.code, f.severity) for f in outcome.report.findings] == [("E_JSON_NUM", "error")]


def test_the_users_side_of_a_submission_never_arrives(tmp_path: Path) -> None:
    files = made.submission()
    turn(1, text="INJECTED", emotion="INJECTED", input_text="INJECTED", split_audio_file="../INJECTED")(files)
    outcome = run(tmp_path, files)
    assert {f.code for f in outcome.report.findings} == {"W_SCHEMA_IGNORED"}
    assert "INJECTED" not in repr(outcome)
