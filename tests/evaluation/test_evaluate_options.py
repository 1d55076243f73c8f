"""What a caller of `humdial evaluate` may change: the spec's exclusions, and the judge's prompts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from bench import Bench, store_verdicts, team_row

from harness.resources import data_dir

TAKEN_OUT = "taken-out"
EXCLUSION = f'\n[[exclusions]]\nlayout = "seed"\ntask = "task2"\nids = ["{TAKEN_OUT}"]\nprefixes = []\n'


def _twin(folder: Path, *, words: str | None = None) -> None:
    """A second dialogue in zh/task2 that is the first one under another name, with ``words`` as replies."""
    path = folder / "zh" / "task2.jsonl"
    line = path.read_text("utf-8")
    twin = {**json.loads(line), "dialogue_id": TAKEN_OUT}
    if words is not None:
        twin["turns"] = [{**turn, "response_text": words} for turn in twin["turns"]]
    path.write_text(line + json.dumps(twin, ensure_ascii=False) + "\n", "utf-8")


def test_what_the_organisers_took_out_counts_for_nobody(bench: Bench, tmp_path: Path) -> None:
    """One team hands in nothing for it, one nonsense: both are valid and marked for the rest alone, and the spec that
    says so is pinned. Without the exclusion the first is incomplete."""
    dev = Path(shutil.copytree(bench.dev, tmp_path / "dev"))
    _twin(dev)
    for name, words in (("nothing", None), ("nonsense", "?")):
        handed = Path(shutil.copytree(bench.folder / "paper", tmp_path / name))
        if words is not None:
            _twin(handed, words=words)
    rows = (team_row(name, f'submission = "{tmp_path / name}"') for name in ("nonsense", "nothing"))
    (bench.folder / "excluded.toml").write_text("".join(rows), "utf-8")
    spec = tmp_path / "challenge.toml"
    built_in = (data_dir("harness/challenge/specs") / "humdial-2026.toml").read_text("utf-8")
    spec.write_text(built_in + EXCLUSION, "utf-8")
    given = ("--inputs", str(dev), "--references", str(dev))

    code, said = bench.evaluate(tmp_path / "run", *given, "--challenge", str(spec), teams="excluded.toml")
    assert code == 0, said
    board = json.loads((tmp_path / "run" / "leaderboard.json").read_bytes())
    assert [(row["team"], row["rank"], row["final"]) for row in board["rows"]] == [
        ("nonsense", 1, 5),
        ("nothing", 1, 5),
    ]
    for team in ("nonsense", "nothing"):
        scores = tmp_path / "run" / "teams" / team / "scores"
        items = [json.loads(line) for line in (scores / "items.jsonl").read_text("utf-8").splitlines()]
        out = [item for item in items if item["dialogue_id"] == TAKEN_OUT]
        assert out and {(item["state"], item["score"]) for item in out} == {("excluded", None)}
        (cell,) = (
            each
            for each in json.loads((scores / "report.json").read_bytes())["dimensions"]
            if (each["language"], each["task"], each["source"]) == ("zh", "task2", "judge")
            and each["dimension"] == out[0]["dimension"]
        )
        assert (cell["n"], cell["counts"]["excluded"], cell["counts"]["scored"]) == (1, 1, 1)

    code, said = bench.evaluate(tmp_path / "run", *given, teams="excluded.toml")
    assert (code, "E_PIN" in said, "challenge" in said) == (2, True, True), said
    code, said = bench.evaluate(tmp_path / "all", *given, teams="excluded.toml")
    assert code == 0, said
    board = json.loads((tmp_path / "all" / "leaderboard.json").read_bytes())
    assert {row["team"]: (row["rank"], row["final"]) for row in board["rows"]} == {
        "nonsense": (1, 4),
        "nothing": (None, None),
    }
    assert TAKEN_OUT in (tmp_path / "all" / "teams" / "nothing" / "validation.json").read_text("utf-8")


def test_prompts_of_the_organisers_own_are_pinned(
    bench: Bench, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cache = tmp_path / "own", tmp_path / "cache"
    shutil.copytree(data_dir("prompts") / "task2", own / "task2")
    text = own / "task2" / "v1.md"
    text.write_text(text.read_text("utf-8") + "\nThink twice.\n", "utf-8")
    with monkeypatch.context() as patch:  # the judge that was built with them
        patch.setenv("HUMDIAL_PROMPTS", str(own))
        patch.setenv("HUMDIAL_CACHE", str(cache))
        store_verdicts(cache, bench.dev, [bench.folder / "paper", bench.folder / "other"], tmp_path / "work")
    out = tmp_path / "run"
    code, said = bench.evaluate(out, "--prompts", str(own), HUMDIAL_CACHE=str(cache))
    assert code == 0, said
    pins, ours = (json.loads((each / "run.json").read_bytes()) for each in (out, run))
    assert {name for name in pins["prompts"] if pins["prompts"][name] != ours["prompts"].get(name)} == {"task2/v1.md"}
    assert pins["judge"]["fingerprint"] != ours["judge"]["fingerprint"]
    code, said = bench.evaluate(out, HUMDIAL_CACHE=str(cache))
    assert (code, "E_PIN" in said, "prompts" in said) == (2, True, True), said
    code, said = bench.evaluate(tmp_path / "none", "--prompts", str(bench.folder / "paper"))
    assert (code, "E_PROMPT" in said) == (2, True), said
