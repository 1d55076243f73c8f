"""Images through a whole evaluation on an engine of its own: killed in the middle, the engine restarted in the middle,
and a judge that dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bench import Bench, published, store_judge, team_row
from own_engine import OwnEngine
from pair_bench import PairBench, store_pair_verdicts

from harness.challenge.load import load_challenge
from harness.documents.codec import canonical_json, digest, to_plain
from harness.documents.verdict import Verdict
from harness.evaluation.journal import find, scan
from harness.evaluation.judge_bytecode import bytecode_folder
from harness.evaluation.judge_image import _inputs
from harness.sandbox import Engine, connect
from harness.sandbox.output_store import STORE_SOURCE
from harness.sandbox.profile import NONCE_LABEL

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("dockerd", path="/usr/sbin:/usr/bin") is None, reason="needs root"
    ),
]
# Answers every turn; says how long it takes.
TEAM = """
sleep {seconds}
for language in zh en; do
    case $language in zh) text='{zh}' ;; *) text='{en}' ;; esac
    mkdir -p /output/$language
    sed -E 's/"split_audio_file": ?"[^"]*"/"response_text": "'"$text"'"/g' /input/$language/task2.jsonl \\
        > /output/$language/task2.jsonl
done
"""
# Answers every input with the input.
ECHO = """
sleep {seconds}
for part in test clean; do
    mkdir -p /output/$part
    for wav in /input/$part/*.wav; do name=${{wav##*/}}; cat "$wav" > "/output/$part/${{name%.wav}}_output.wav"; done
done
"""
# A judge whose mark is always 3. While there is a file `dies` beside its weights, what is English kills it, and it says
# so.
JUDGE = r"""
rest='{rest}'
judged() {{ sed -nE 's/.*"item": ?"([^"]*)".*/{{"item":"\1",'"$rest"'}}/p'; }}
deadly=$(sed -n '/"language":"en"/p' /requests/requests.jsonl)
if [ -e /weights/dies ] && [ -n "$deadly" ]; then
    sed '/"language":"en"/d' /requests/requests.jsonl | judged > /output/verdicts.jsonl
    sed -nE '/"language":"en"/s/.*"item": ?"([^"]*)".*/[["\1",0]]/p' /requests/requests.jsonl > /output/inflight.json
    exit 3
fi
judged < /requests/requests.jsonl > /output/verdicts.jsonl
"""


@dataclass(frozen=True)
class Stage:
    """An engine of its own, and a challenge with two images and a judge image on it."""

    own: OwnEngine
    engine: Engine
    bench: Bench

    def containers(self) -> dict[str, str]:
        """Id to nonce of what runs for an evaluation."""
        listed = self.engine.api.containers(filters={"label": NONCE_LABEL})
        return {entry["Id"]: entry["Labels"][NONCE_LABEL] for entry in listed}

    def start(self, out: Path, said: Path) -> int:
        arguments = self.bench.arguments(out, teams="images.toml")
        return self.bench.warm.start(arguments, self.bench.environment(DOCKER_HOST=self.own.address), said, "processes")

    def of_team(self, team: str) -> str | None:
        """The id of the running container of ``team``; there are never two."""
        listed = self.engine.api.containers(filters={"label": NONCE_LABEL})
        found = [
            entry["Id"]
            for entry in listed
            if any(f"/run-{team}-1/" in mount.get("Source", "") for mount in entry["Mounts"])
        ]
        assert len(found) <= 1, found
        return found[0] if found else None


def _until(found: Callable[[], str | None]) -> str:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        if (value := found()) is not None:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.fixture(scope="module")
def stage(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    own = OwnEngine()
    folder = tmp_path_factory.mktemp("images")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", own.address)
        patch.setenv("HUMDIAL_CACHE", str(folder / "cache"))
        try:
            own.start()
            engine = connect()
            quick = own.shell_image(
                engine, TEAM.format(seconds=0, zh="我在听，我陪着你。", en="I hear you and I am here.")
            )
            slow = own.shell_image(
                engine, TEAM.format(seconds=4, zh="这一天真不容易。", en="That was a lot for one day.")
            )
            marks: dict[str, int | str] = dict.fromkeys(load_challenge().tasks["task2"].dimension_ids("text"), 3)
            verdict = to_plain(Verdict("", 0, marks, {}, "0" * 64, 1, "scored"))
            rest = canonical_json({key: value for key, value in verdict.items() if key != "item"}).decode()
            judge = own.shell_image(engine, JUDGE.format(rest=rest[1:-1]))
            (folder / "cache" / "base").mkdir(parents=True)
            (folder / "cache" / "base" / "base.tar").write_bytes(b"no part of this judge")
            store_judge(folder / "cache", image_id=judge, inputs=digest(_inputs(engine)))
            (folder / "cache" / "judge" / "small" / "weights").mkdir()
            bytecode_folder(judge).mkdir(parents=True)  # a shell has none
            rows = [team_row(name, f'image = "{image}"') for name, image in (("alpha", quick), ("beta", slow))]
            (folder / "images.toml").write_text("".join(rows), "utf-8")
            yield Stage(own, engine, replace(bench, folder=folder, cache=folder / "cache"))
        finally:
            own.remove()


def test_a_killed_run_a_restarted_engine_and_a_judge_that_dies(stage: Stage, tmp_path: Path) -> None:
    out, said = tmp_path / "run", tmp_path / "said"
    dies = stage.bench.cache / "judge" / "small" / "weights" / "dies"
    dies.touch()
    stranger = stage.engine.api.create_container_from_config(
        {"Image": stage.engine.api.images()[0]["Id"], "Labels": {NONCE_LABEL: "another-run"}}, "stranger"
    )["Id"]

    first = stage.start(out, said)
    orphan = _until(lambda: stage.of_team("beta"))
    os.kill(first, signal.SIGKILL)
    assert stage.bench.warm.wait(first) == -signal.SIGKILL
    assert stage.of_team("beta") == orphan  # nobody is there to stop it
    store = out / ".work" / "run-beta-1.2-0" / ".work" / "output"  # as a task that was killed on Ray leaves it
    store.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", STORE_SOURCE, store], check=True)

    second = stage.start(out, said)
    _until(lambda: found if (found := stage.of_team("beta")) != orphan else None)
    assert not os.path.ismount(store)
    stage.own.restart()
    code, text = stage.bench.warm.wait(second), said.read_text("utf-8")
    assert code == 1, text
    assert "run failed on our side" in text, text
    assert "alpha: judgements failed and are missing" in text and not list(out.glob("leaderboard.*"))
    items = [json.loads(line) for line in (out / "teams" / "beta" / "scores" / "items.jsonl").open(encoding="utf-8")]
    assert {item["state"] for item in items if item["task"] == "task2"} == {"scored", "judge_failed"}
    assert stage.containers() == {}
    assert [each["Id"] for each in stage.engine.api.containers(all=True)] == [stranger]

    dies.unlink()
    third = stage.start(out, said)
    assert stage.bench.warm.wait(third) == 0, said.read_text("utf-8")
    journal = scan(out / "journal.jsonl").records
    assert sorted(record.data["team"] for record in find(journal, "ran")) == ["alpha", "beta"]  # each once
    asked = [
        [json.loads(line) for line in (out / "blobs" / sha[:2] / sha).read_bytes().splitlines()]
        for record in find(journal, "judged")
        if record.data["team"] == "beta" and (sha := record.data["verdicts"])
    ]
    assert [sorted(verdict["state"] for verdict in each) for each in asked] == [["failed", "scored"], ["scored"]]
    (lost,) = (verdict for verdict in asked[0] if verdict["state"] == "failed")
    assert lost["reasons"]["failed"].startswith("E_JUDGE_DIED") and lost["item"] == asked[1][0]["item"]
    table = published(out)
    assert stage.bench.warm.wait(stage.start(out, said)) == 0
    assert published(out) == table


def test_an_image_that_nobody_has_is_told_before_anything_is_pinned(stage: Stage, tmp_path: Path) -> None:
    listed = stage.bench.folder / "mistyped.toml"
    listed.write_text(team_row("alpha", 'image = "nobody/has:this"'), "utf-8")
    arguments = stage.bench.arguments(tmp_path / "run", teams="mistyped.toml")
    environment = stage.bench.environment(DOCKER_HOST=stage.own.address)
    process = stage.bench.warm.start(arguments, environment, tmp_path / "said", "processes")
    said = (stage.bench.warm.wait(process), (tmp_path / "said").read_text("utf-8"))
    assert said[0] == 2 and "alpha: the engine has no image nobody/has:this" in said[1], said
    assert not (tmp_path / "run" / "run.json").exists()


def test_no_image_runs_where_its_output_may_not_find_room(stage: Stage, tmp_path: Path) -> None:
    """Hours of work would be lost at their end. With more room the same command goes on."""
    out, said = tmp_path / "run", tmp_path / "said"
    out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "humdial-test", out], check=True)
    try:
        assert stage.bench.warm.wait(stage.start(out, said)) == 3
        text = said.read_text("utf-8")
        assert all(f"unfinished: {team}: there is too little room" in text for team in ("alpha", "beta")), text
        assert "[I_DISK]" in text
        assert find(scan(out / "journal.jsonl").records, "ran") == [] and not list(out.glob("leaderboard.*"))
        room = 2 * load_challenge().run_limits.output_bytes + (64 << 20)
        subprocess.run(["mount", "-o", f"remount,size={room}", out], check=True)
        assert stage.bench.warm.wait(stage.start(out, said)) == 0, said.read_text("utf-8")
        assert len(find(scan(out / "journal.jsonl").records, "ran")) == 2
    finally:
        subprocess.run(["umount", "--lazy", out], check=True)


def test_an_engine_that_restarts_under_a_full_duplex_image_costs_nobody_anything(
    stage: Stage, pairs: PairBench, tmp_path: Path
) -> None:
    names = ("alpha", "baseline")
    for name in names:
        echo = Path(shutil.copytree(pairs.folder / name, tmp_path / name))
        for wav in echo.rglob("*.wav"):
            shutil.copy(pairs.dev / wav.parent.name / f"{wav.stem.removesuffix('_output')}.wav", wav)
        store_pair_verdicts(pairs, name, echo, tmp_path / "work")
    images = [stage.own.shell_image(stage.engine, ECHO.format(seconds=seconds)) for seconds in (4, 0)]
    rows = [team_row(name, f'image = "{image}"') for name, image in zip(names, images, strict=True)]
    listed = "".join(rows).replace('"track1"', '"track2"') + "baseline = true\n"
    (pairs.folder / "images.toml").write_text(listed, "utf-8")
    out, said = tmp_path / "run", tmp_path / "said"
    environment = pairs.environment(DOCKER_HOST=stage.own.address)
    process = pairs.warm.start(pairs.arguments(out, teams="images.toml"), environment, said, "processes")
    _until(lambda: stage.of_team("alpha"))
    stage.own.restart()
    code, text = pairs.warm.wait(process), said.read_text("utf-8")
    assert code == 0 and "alpha: run failed on our side" in text, text
    ran = find(scan(out / "journal.jsonl").records, "ran")
    assert [record.data["team"] for record in ran] == ["alpha", "baseline"]
    ranks = {row["team"]: row["rank"] for row in json.loads((out / "leaderboard.json").read_bytes())["rows"]}
    assert ranks == {"alpha": 1, "baseline": 2} and stage.containers() == {}
