"""A challenge on a real Ray cluster of several nodes: the same bytes as on one machine, also when a node is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, published, team_row, verdict_of

from harness.challenge.load import load_challenge
from harness.documents.duplex import HearingTerms
from harness.errors import MachineError
from harness.evaluation.executors.cluster import RayExecutor
from harness.evaluation.judge_image import show_judge
from harness.evaluation.preparing import read_requests
from harness.evaluation.run_directory import read_pins
from harness.evaluation.tasks import Failure, Judged, JudgeTask, Prepared, PrepareTask, RunTask, Setting
from harness.evaluation.verdict_store import VerdictStore
from harness.evaluation.worker import execute
from harness.sandbox import Engine

ray = pytest.importorskip("ray")
_PATIENCE_S = 300
_REPLY = {"zh": "听起来你真的很不容易，我很愿意陪你聊聊。", "en": "That sounds hard, and I am glad that you told me."}
_PROGRAM = f"""
import json, os, pathlib, time
time.sleep(int(os.environ["SECONDS"]))
replies = {_REPLY!r}
for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
    for path in pathlib.Path("/input", language).glob("task2.jsonl"):
        out = pathlib.Path("/output", language)
        out.mkdir(parents=True, exist_ok=True)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            turns = [turn["turn_id"] for turn in line["turns"]]
            line["turns"] = [{{"turn_id": turn, "response_text": replies[language]}} for turn in turns]
        (out / "task2.jsonl").write_text("".join(json.dumps(line) + "\\n" for line in lines))
"""


@pytest.fixture(scope="module")
def cluster(engine: Engine, bench: Bench) -> Iterator[Any]:
    """A head that does no work, and one node; each node would have its own engine and cache, here they share them."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUMDIAL_CACHE", str(bench.cache))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        yield made
        made.shutdown()


def _setting(bench: Bench) -> Setting:
    challenge = load_challenge()
    fingerprint = show_judge(challenge, challenge.judges["small"]).fingerprint
    return Setting("humdial-2026", bench.dev, bench.dev, "small", "strict", "track1", fingerprint, "nonce", "seed")


def _all(executor: RayExecutor, count: int) -> dict[int, Any]:
    found: dict[int, Any] = {}
    until = time.monotonic() + _PATIENCE_S
    while len(found) < count and time.monotonic() < until:
        found |= dict(executor.wait(5.0))
    return found


def test_a_judge_goes_where_a_gpu_is(
    cluster: Any, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The GPU is one in name: with every verdict stored, no container asks for it."""
    monkeypatch.setenv("HUMDIAL_CACHE", str(bench.cache))
    plain, with_gpu = cluster.add_node(num_cpus=2), cluster.add_node(num_cpus=1, num_gpus=1)
    executor = RayExecutor(_setting(bench), tmp_path, 2, cluster.address)
    try:
        assert executor.gpus == 1
        source = bench.folder / "paper"
        executor.submit(1, PrepareTask("alpha", source, False, tmp_path / "alpha"))
        prepared = _all(executor, 1)[1]
        assert isinstance(prepared, Prepared) and prepared.requests is not None, prepared
        assert (tmp_path / "alpha" / "audio").is_dir()
        requests = tuple(read_requests(prepared.requests).values())
        executor.submit(2, JudgeTask("alpha", requests, tmp_path / "alpha" / "audio", tmp_path / "judge"))
        judged = _all(executor, 1)[2]
        assert isinstance(judged, Judged) and judged.verdicts.count(b"scored") == len(requests), judged
        assert executor.places[-1] == ("judge", with_gpu.node_id, "0")
        assert executor.places[0][2] is None
    finally:
        executor.close(stop=True)
        cluster.remove_node(plain)
        cluster.remove_node(with_gpu)


def test_an_image_whose_delays_are_measured_gets_a_whole_node(
    cluster: Any, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no engine behind it: the task ends at once, and still asks for all processors of the larger node."""
    monkeypatch.setenv("HUMDIAL_CACHE", str(bench.cache))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    small, large = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=2)
    hearing = HearingTerms("voice", "", "", "silero-vad")
    executor = RayExecutor(replace(_setting(bench), hearing=hearing), tmp_path, 2, cluster.address)
    try:
        for number in range(3):
            executor.submit(number, RunTask("alpha", "sha256:1", tmp_path / f"alpha-{number}"))
        assert all(isinstance(each, Failure) for each in _all(executor, 3).values())
        assert {node for _, node, _ in executor.places} == {large.node_id}
    finally:
        executor.close(stop=True)
        cluster.remove_node(small)
        cluster.remove_node(large)


def _evaluate(bench: Bench, teams: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "evaluate", str(teams), "--out", str(out), "--jobs", "2", *more]
    command += ["--inputs", str(bench.dev), "--references", str(bench.dev)]
    environment = {**os.environ, "HUMDIAL_CACHE": str(bench.cache)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def _ended(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 0 and "Traceback" not in said, said
    return said


def _until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.engine
def test_a_node_that_is_lost_in_the_middle_costs_no_byte(
    cluster: Any,
    engine: Engine,
    build_image: Callable[..., str],
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick, slow = (
        build_image(
            "COPY agent.py /agent.py", f"ENV SECONDS={seconds}", 'ENTRYPOINT ["python3", "/agent.py"]',
            files={"agent.py": _PROGRAM},
        )
        for seconds in (0, 6)
    )  # fmt: skip
    spoken = tmp_path / "spoken"
    shutil.copytree(bench.folder / "paper", spoken)
    for language, reply in _REPLY.items():
        path = spoken / language / "task2.jsonl"
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for line in lines:
            for turn in line["turns"]:
                turn["response_text"] = reply
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    shutil.copytree(bench.folder / "paper", tmp_path / "paper")
    monkeypatch.setenv("HUMDIAL_CACHE", str(bench.cache))
    setting = _setting(bench)
    prepared = execute(PrepareTask("slow", spoken, False, tmp_path / "work"), setting)
    assert isinstance(prepared, Prepared) and prepared.requests is not None, prepared
    VerdictStore(bench.cache / "verdicts", setting.fingerprint).keep(
        verdict_of(request, 3) for request in read_requests(prepared.requests).values()
    )
    for name, image in (("quick", quick), ("slow", slow)):
        rows = team_row("alpha", 'submission = "paper"') + team_row("slow", f'image = "{image}"')
        (tmp_path / f"{name}.toml").write_text(rows, "utf-8")
    alone = tmp_path / "alone"
    _ended(_evaluate(bench, tmp_path / "quick.toml", alone))

    first = cluster.add_node(num_cpus=2)
    out = tmp_path / "spread"
    process = _evaluate(bench, tmp_path / "slow.toml", out, "--executor", "ray", "--ray-address", cluster.address)
    _until(lambda: bool(_containers(engine, out)))
    cluster.remove_node(first, allow_graceful=False)
    cluster.add_node(num_cpus=2)
    said = _ended(process)
    assert "slow: the node of its run was lost; it is done again elsewhere" in said
    assert published(out) == published(alone)
    # What the lost node left running, or mounted, is gone too.
    assert _containers(engine, out) == []
    assert str(out) not in Path("/proc/self/mountinfo").read_text("utf-8")


def _containers(engine: Engine, run: Path) -> list[str]:
    pins = read_pins(run) if run.is_dir() else None
    listed = engine.api.containers(all=True) if pins else []
    return [entry["Names"][0] for entry in listed if pins and pins.nonce in entry["Names"][0]]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nobody", "host:port"])
def test_a_cluster_that_is_not_there_is_named(address: str) -> None:
    setting = Setting("humdial-2026", Path(), Path(), "small", "strict", "track1", "sha256:0", "0", "0")
    with pytest.raises(MachineError) as caught:
        RayExecutor(setting, Path(), 1, address)
    assert caught.value.code == "I_CLUSTER"
