"""Whole runs of real images on the real engine: state, fault, what was collected, and that nothing stays behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import jsonschema_rs
import pytest
from sandbox_inputs import SECRET_TEXT, BuildImage, Inputs

from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codec import to_plain
from harness.documents.finding import Finding
from harness.documents.run_record import RunRecord
from harness.errors import UsageError
from harness.resources import schema_path
from harness.sandbox import Engine, connect, run_team_image
from harness.sandbox.image_archive import ImageConfig, Layer, write_image

pytestmark = pytest.mark.engine

# Answers every line it is given, with audio for the audio task; `extra` runs at the end.
CAREFUL = """
import json, os, pathlib, shutil
source, target = pathlib.Path(os.environ["HUMDIAL_INPUT"]), pathlib.Path(os.environ["HUMDIAL_OUTPUT"])
for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
    for task in os.environ["HUMDIAL_TASKS"].split(","):
        (target / language / task).mkdir(parents=True, exist_ok=True)
        with open(target / language / f"{task}.jsonl", "w") as out:
            for line in open(source / language / f"{task}.jsonl"):
                row = json.loads(line)
                turns = []
                for turn in row["turns"]:
                    reply = {"turn_id": turn["turn_id"], "response_text": f"reply to {row['dialogue_id']}"}
                    if task == "task4":
                        reply["response_audio"] = f"{task}/{row['dialogue_id']}_{turn['turn_id']}_response.wav"
                        audio = source / language / turn["split_audio_file"]
                        shutil.copyfile(audio, target / language / reply["response_audio"])
                    turns.append(reply)
                out.write(json.dumps({"dialogue_id": row["dialogue_id"], "turns": turns}) + "\\n")
"""
Result = tuple[RunRecord, dict[str, list[Finding]], Path]
Run = TypeVar("Run", bound=tuple[RunRecord, Any] | Result)
RunProgram = Callable[..., Result]


@contextmanager
def meanwhile(image: str, act: Callable[[Any, str], None]) -> Iterator[None]:
    """As soon as a container of ``image`` runs, somebody else does this to it."""
    other, over = connect(), threading.Event()

    def wait_and_act() -> None:
        while not (found := other.api.containers(filters={"ancestor": image})):
            if over.wait(0.05):
                return
        act(other.api, found[0]["Id"])

    somebody = threading.Thread(target=wait_and_act, daemon=True)
    somebody.start()
    try:
        yield
    finally:
        over.set()
        somebody.join()
        other.close()


def clear(run: Callable[[], Run]) -> Run:
    """Once more while it is unclear whose fault a failure is: another test's container may run out of memory."""
    for _ in range(5):
        found = run()
        if found[0].fault != "unclear":
            break
    return found


@pytest.fixture
def run_program(
    engine: Engine,
    build_image: BuildImage,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    tmp_path: Path,
) -> RunProgram:
    """Build an image around a program, run it, check the record against its schema, return (record, findings, out)."""

    def run(program: str, *lines: str, limits: RunLimits = small_limits, **options: Any) -> Result:
        image = build_image(
            "COPY main.py /main.py", 'ENTRYPOINT ["python3", "/main.py"]', *lines, files={"main.py": program}
        )
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        record, findings = run_team_image(
            engine, image, inputs.dialogues, inputs.root, out, challenge, limits, seed="s", **options
        )
        schema = json.loads(schema_path("run-record").read_text("utf-8"))
        jsonschema_rs.validator_for(schema).validate(to_plain(record))
        by_code: dict[str, list[Finding]] = {}
        for each in findings:
            by_code.setdefault(each.code, []).append(each)
        assert not (out / ".work").exists()
        assert engine.api.containers(all=True, filters={"ancestor": image}) == []
        return record, by_code, out

    return run


def test_a_sound_image_completes_and_its_outputs_carry_the_real_ids(run_program: RunProgram, inputs: Inputs) -> None:
    record, findings, out = run_program(CAREFUL)
    assert (record.state, record.fault, record.exit_code, record.oom_killed) == ("completed", "none", 0, False)
    assert findings == {}
    assert record.peak_memory_bytes and record.peak_memory_bytes > 1_000_000
    submission = out / "submission"
    for language in ("zh", "en"):
        rows = [json.loads(line) for line in (submission / language / "task4.jsonl").read_text().splitlines()]
        expected = {d.dialogue_id for d in inputs.dialogues if (d.language, d.task) == (language, "task4")}
        assert {row["dialogue_id"] for row in rows} == expected
        for row in rows:
            for turn in row["turns"]:
                name = f"task4/{row['dialogue_id']}_{turn['turn_id']}_response.wav"
                assert turn["response_audio"] == name
                reply = (submission / language / name).read_bytes()
                source = (inputs.root / language / f"task4/{row['dialogue_id']}_{turn['turn_id']}.wav").read_bytes()
                # The right audio under the right name: the samples of this very item.
                assert reply[44:] == source[source.index(b"data") + 8 :]
    listed = {each.path for each in record.outputs}
    assert listed == {p.relative_to(submission).as_posix() for p in submission.rglob("*") if p.is_file()}


def test_the_same_submission_again_gives_the_same_outputs(run_program: RunProgram) -> None:
    first, _, _ = run_program(CAREFUL)
    second, _, _ = run_program(CAREFUL)
    assert first.outputs == second.outputs
    assert first.profile_sha256


def test_an_earlier_result_is_never_overwritten(
    engine: Engine, base_image: str, inputs: Inputs, challenge: Challenge, small_limits: RunLimits, tmp_path: Path
) -> None:
    (tmp_path / "submission").mkdir()
    with pytest.raises(UsageError, match="results"):
        run_team_image(engine, base_image, inputs.dialogues, inputs.root, tmp_path, challenge, small_limits, seed="s")


def test_what_the_container_sees_tells_nothing(run_program: RunProgram, inputs: Inputs) -> None:
    record, _, out = run_program(
        """
import os
for folder, names, files in os.walk("/input"):
    for name in names + files:
        path = os.path.join(folder, name)
        print(path, os.stat(path).st_mtime, os.stat(path).st_mode)
        if os.path.isfile(path):
            print(open(path, "rb").read(1000 if name.endswith("l") else 44))
print(sorted(os.environ.items()))
"""
    )
    seen = (out / "container.log").read_text()
    assert "task2.jsonl" in seen
    secrets = {d.dialogue_id for d in inputs.dialogues} | {
        SECRET_TEXT,
        "sad",
        "neutral",
        "INAM",
        "LIST",
        str(inputs.root),
    }
    assert [secret for secret in secrets if secret in seen] == []
    assert record.state == "output_missing"
    assert record.fault == "submission"
    assert "R_NO_OUTPUT" in record.codes


@pytest.mark.parametrize(
    ("program", "state", "code"),
    [
        ("raise SystemExit(3)", "failed", "R_EXIT"),
        ("raise SystemExit(137)", "failed", "R_EXIT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "failed", "R_EXIT"),
        ("x = bytearray(400 * 1024**2)", "out_of_memory", "R_OOM"),
        ("open('/output/full', 'wb').write(b'x' * (9 * 1024**2))", "output_too_large", "E_OUT_SIZE"),
        ("for n in range(300): open(f'/output/{n}', 'w')", "output_too_large", "E_OUT_COUNT"),
    ],
)
def test_failures_have_a_state_a_code_and_a_fault(run_program: RunProgram, program: str, state: str, code: str) -> None:
    record, findings, _ = clear(lambda: run_program(program))
    assert (record.state, record.fault) == (state, "submission")
    assert code in record.codes
    assert findings[code][0].severity == "error"
    assert record.oom_killed == (state == "out_of_memory")


def test_a_program_that_ignores_sigterm_ends_at_deadline_and_grace(
    run_program: RunProgram, small_limits: RunLimits
) -> None:
    program = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass"
    record, findings, _ = run_program(program, limits=replace(small_limits, wall_s=2))
    assert (record.state, record.fault) == ("timed_out", "submission")
    assert 3.0 <= record.wall_s < 30  # two seconds, one of grace, and what a busy machine takes
    assert "R_TIMEOUT" in findings


def test_results_written_before_the_deadline_are_kept_but_the_run_failed(
    run_program: RunProgram, small_limits: RunLimits
) -> None:
    record, _, out = run_program(CAREFUL + "\nimport time; time.sleep(60)", limits=replace(small_limits, wall_s=6))
    assert record.state == "timed_out"
    assert (out / "submission/zh/task2.jsonl").is_file()


def test_a_child_killed_for_memory_is_a_warning_when_the_program_ends_well(run_program: RunProgram) -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(400 * 1024**2)'])\n"
    record, findings, _ = run_program(child + CAREFUL)
    assert (record.state, record.fault, record.exit_code, record.oom_killed) == ("completed", "none", 0, True)
    assert "W_OOM" in record.warnings
    assert findings["W_OOM"][0].severity == "warning"


def test_a_volume_is_refused_before_anything_runs(run_program: RunProgram) -> None:
    record, findings, out = run_program(CAREFUL, "VOLUME /data")
    assert (record.state, record.fault, record.exit_code) == ("image_rejected", "submission", None)
    assert "/data" in findings["E_IMG_VOLUME"][0].message
    assert not (out / "container.log").exists()


def test_a_loader_variable_is_refused(run_program: RunProgram) -> None:
    record, findings, _ = run_program(CAREFUL, "ENV LD_PRELOAD=/opt/evil.so")
    assert record.state == "image_rejected"
    assert "LD_PRELOAD" in findings["E_IMG_ENV"][0].message


def test_hostile_outputs_are_refused_and_the_rest_is_taken(run_program: RunProgram) -> None:
    record, findings, out = run_program(
        CAREFUL
        + """
wav = sorted((target / "zh/task4").iterdir())
wav[0].unlink(); wav[0].symlink_to("/etc/passwd")
wav[1].unlink(); os.mkfifo(wav[1])
os.link(wav[2], target / "second-name")
(target / "en/task2.jsonl").unlink(); (target / "en/task2.jsonl").symlink_to("task4.jsonl")
(target / "scores.json").write_text('{"score": 5}')
(target / "bad\\x1b[31m\\nname").write_text("x")
"""
    )
    assert record.state == "completed"
    kinds = " ".join(each.message for each in findings["E_OUT_TYPE"])
    assert "symbolic link" in kinds and "pipe" in kinds and "hard link" in kinds
    by_file = {each.file: each.severity for each in findings["E_OUT_TYPE"] if each.file}
    assert all("task4_2_zh" in name for name in by_file if name != "en/task2.jsonl")
    assert by_file.pop("en/task2.jsonl") == "error"  # a whole result file
    assert set(by_file.values()) == {"warning"} and len(by_file) == 3  # single items
    assert "\\x1b[31m\\nname" in findings["E_OUT_NAME"][0].message
    assert all(each.message.isascii() and each.message.isprintable() for group in findings.values() for each in group)
    assert "scores.json" in findings["W_OUT_EXTRA"][0].message
    submission = out / "submission"
    assert not (submission / "en/task2.jsonl").exists()
    assert not any(path.is_symlink() for path in submission.rglob("*"))
    assert len(list((submission / "zh/task4").iterdir())) == 3
    assert "root:" not in "".join(p.read_text("utf-8", "replace") for p in submission.rglob("*.jsonl"))


def test_unknown_ids_are_dropped_and_broken_lines_kept_for_the_validation(run_program: RunProgram) -> None:
    record, findings, out = run_program(
        CAREFUL
        + """
with open(target / "zh/task2.jsonl", "ab") as out:
    out.write(b'{"dialogue_id": "task2_2_zh_0001_0001", "turns": []}\\n')
    out.write(b'{"dialogue_id": "x", "dialogue_id": "y"}\\n')
    out.write(b'\\xff not json\\n')
"""
    )
    assert record.state == "completed"
    assert "1 lines" in findings["W_OUT_UNKNOWN"][0].message
    assert "2 lines" in findings["W_OUT_LINE"][0].message
    lines = (out / "submission/zh/task2.jsonl").read_bytes().splitlines()
    assert lines[3:] == [b'{"dialogue_id": "x", "dialogue_id": "y"}', b"\xff not json"]


def test_without_root_the_output_is_watched_and_the_run_ends_at_the_cap(run_program: RunProgram) -> None:
    program = "import time\nopen('/output/full', 'wb').write(b'x' * (9 * 1024**2))\ntime.sleep(60)"
    record, findings, _ = run_program(program, output_mode="watched")
    assert (record.state, record.fault) == ("output_too_large", "submission")
    assert record.wall_s < 15  # long before its deadline
    assert record.limits["output_mode"] == "watched"
    assert "W_OUT_WATCHED" in record.warnings
    assert "E_OUT_SIZE" in findings


def test_without_root_a_sound_image_completes(run_program: RunProgram) -> None:
    record, findings, _ = run_program(CAREFUL, output_mode="watched")
    assert record.state == "completed"
    assert set(findings) == {"W_OUT_WATCHED"}


@pytest.mark.parametrize(
    ("lines", "files", "state"),
    [
        (["COPY run.sh /run.sh", 'CMD ["/bin/false"]'], {"run.sh": "#!/bin/sh\nexit 0\n"}, "output_missing"),
        (["COPY run.sh /run.sh", "RUN chmod 644 /run.sh"], {"run.sh": "exit 0\n"}, "output_missing"),
        (["COPY run.sh /run.sh", 'ENTRYPOINT ["/bin/false"]'], {"run.sh": "#!/bin/sh\nexit 0\n"}, "failed"),
        (['CMD ["/bin/true"]'], {}, "output_missing"),
        (["CMD []"], {}, "start_failed"),
        (['ENTRYPOINT ["/no/such/program"]'], {}, "start_failed"),
    ],
)
def test_what_runs_is_entrypoint_else_run_sh_else_cmd(
    engine: Engine,
    build_image: BuildImage,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    tmp_path: Path,
    lines: list[str],
    files: dict[str, str],
    state: str,
) -> None:
    image = build_image(*lines, files=files)
    outs = (tmp_path / f"out-{number}" for number in count())
    record, findings = clear(
        lambda: run_team_image(
            engine, image, inputs.dialogues, inputs.root, next(outs), challenge, small_limits, seed="s"
        )
    )
    assert record.state == state
    assert record.fault == "submission"
    assert [each.code for each in findings if each.severity == "error"] == list(record.codes)
    if state == "start_failed":
        assert record.codes == (("E_IMG_COMMAND",) if lines == ["CMD []"] else ("R_START",))
    assert engine.api.containers(all=True, filters={"ancestor": image}) == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (['ENTRYPOINT ["/run.sh"]', "RUN ln -s /proc/1 /output"], "unclear"),
        (['ENTRYPOINT ["/run.sh"]', "RUN ln -s /sys/none /input"], "unclear"),
        (['ENTRYPOINT ["/run.sh"]', "RUN touch /output"], "submission"),
        (['ENTRYPOINT [""]'], "unclear"),
    ],
)
def test_an_image_that_no_container_can_be_made_of_is_no_failure_of_ours(
    engine: Engine,
    build_image: BuildImage,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    tmp_path: Path,
    lines: list[str],
    fault: str,
) -> None:
    """A team could otherwise have its run repeated for ever."""
    image = build_image(*lines)
    record, _ = run_team_image(
        engine, image, inputs.dialogues, inputs.root, tmp_path / "out", challenge, small_limits, seed="s"
    )
    assert (record.state, record.fault, record.codes) == ("start_failed", fault, ("R_START",))
    assert engine.api.containers(all=True, filters={"ancestor": image}) == []


def test_a_working_directory_that_is_a_file_is_no_failure_of_ours(
    engine: Engine, base_image: str, inputs: Inputs, challenge: Challenge, small_limits: RunLimits, tmp_path: Path
) -> None:
    config = ImageConfig(cmd=("/bin/true",), workdir="/file", architecture=engine.host().architecture)
    write_image(None, [Layer.from_files({"file": (b"x", 0o644)})], config, tmp_path / "image.tar")
    record, _ = run_team_image(
        engine,
        str(tmp_path / "image.tar"),
        inputs.dialogues,
        inputs.root,
        tmp_path / "out",
        challenge,
        small_limits,
        seed="s",
    )
    engine.api.remove_image(record.image_id, force=True)
    assert (record.state, record.fault) == ("start_failed", "unclear")


def test_a_paused_container_has_not_ended(
    engine: Engine,
    build_image: BuildImage,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    tmp_path: Path,
) -> None:
    image = build_image('ENTRYPOINT ["sleep", "60"]')
    limits = replace(small_limits, wall_s=3)
    with meanwhile(image, lambda api, container: api.pause(container)):
        record, _ = run_team_image(
            engine, image, inputs.dialogues, inputs.root, tmp_path / "out", challenge, limits, seed="s"
        )
    assert (record.state, record.fault) == ("timed_out", "submission")


def test_a_container_that_vanishes_is_not_the_teams_fault(
    engine: Engine,
    build_image: BuildImage,
    inputs: Inputs,
    challenge: Challenge,
    small_limits: RunLimits,
    tmp_path: Path,
) -> None:
    image = build_image('ENTRYPOINT ["sleep", "60"]')
    with meanwhile(image, lambda api, container: api.remove_container(container, force=True)):
        record, findings = run_team_image(
            engine, image, inputs.dialogues, inputs.root, tmp_path / "out", challenge, small_limits, seed="s"
        )
    assert (record.state, record.fault, record.codes) == ("infrastructure", "infrastructure", ("R_INFRASTRUCTURE",))
    assert "I_ENGINE" in findings[-1].message
    assert not (tmp_path / "out" / ".work").exists()


def test_a_smaller_machine_is_recorded(run_program: RunProgram, challenge: Challenge, engine: Engine) -> None:
    record, findings, _ = run_program(CAREFUL, limits=replace(challenge.run_limits, memory_bytes=1 << 60, cpus=4096.0))
    assert record.state == "completed"
    assert "W_LIMITS" in record.warnings
    assert "memory_bytes" in findings["W_LIMITS"][0].message
    assert record.limits["memory_bytes"] < engine.host().memory_bytes
    assert record.limits["cpus"] == engine.host().cpus


@pytest.mark.parametrize(
    "name",
    [
        "humdial-test/none:1",
        "UPPER/case",
        "",
        "sha256:",
        "../containers",
        "x/../../containers",
        "a?b",
        "a" * 5000,
        "\x1b",
    ],
)
def test_an_unknown_image_is_the_callers_fault(
    engine: Engine, inputs: Inputs, challenge: Challenge, small_limits: RunLimits, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError) as caught:
        run_team_image(
            engine,
            name,
            inputs.dialogues,
            inputs.root,
            tmp_path / "o",
            challenge,
            small_limits,
            seed="",
        )
    assert caught.value.code == "E_IMG_UNKNOWN"
    assert str(caught.value).isprintable()
