"""The stage ``run``: hostile images through the real `humdial run` on the real engine, under runc and under gVisor.

A subject is NAME.py (a program, see programs.py), NAME/Dockerfile, or NAME.tar (an image archive as a team sends it).
It is seen as NAME@runc and NAME@runsc. A case's ``args`` are limits (``wall_s=2``) and perhaps one runtime, when
nothing in it depends on what runs the container. The stages ``own`` and ``host`` let make.py's ``run(box, request)``
do the trying, with and without an engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import made
import pytest
from attack_case import CANARY, Box, Case, Seen, cases
from attack_stages import STAGES, Done, command
from programs import BEGINS, together

from harness.documents.codes import all_codes
from harness.sandbox import Engine

BuildImage = Callable[..., str]
RUNTIMES = ("runc", "runsc")
ON_THE_ENGINE = ("run", "own")
LIMITS = {
    "wall_s": 90, "stop_grace_s": 1, "memory_bytes": 192 << 20, "cpus": 1.0, "pids": 128, "tmp_bytes": 8 << 20,
    "tmp_inodes": 500, "shm_bytes": 8 << 20, "output_bytes": 8 << 20, "output_inodes": 200, "log_bytes": 1 << 16,
    "nofile": 256,
}  # fmt: skip
# What every program here may end with: it answers everything, so nothing else may come up.
_OF_THE_MACHINE = frozenset({"W_LIMITS"})


def inputs_of(box: Box) -> Path:
    """Labelled inputs with a canary as the users' words, one dialogue a task and language."""
    folder = box.root / "inputs"
    if not folder.exists():
        files = made.inputs(audio=True)
        for path, data in files.items():
            if path.endswith(".jsonl"):
                line = json.loads(data.splitlines()[0])
                for turn in line["turns"]:
                    turn["text"] = f"{turn['text']} {CANARY}"
                files[path] = made.jsonl([line])
        made.write(folder, files)
    return folder


def limits_of(box: Box, **changes: float) -> Path:
    path = box.root / "limits.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in {**LIMITS, **changes}.items()))
    return path


def image_of(subject: Path, build: BuildImage) -> str:
    """The image that a subject stands for: an id of the engine, or the archive itself."""
    if subject.suffix == ".tar":
        return str(subject)
    if subject.suffix == ".py":
        lines: tuple[str, ...] = ("COPY main.py /main.py", 'ENTRYPOINT ["python3", "/main.py"]')
        return build(*lines, files={"main.py": subject.read_text("utf-8")})
    files = {path.name: path.read_text("utf-8") for path in subject.iterdir() if path.name != "Dockerfile"}
    return build(*(subject / "Dockerfile").read_text("utf-8").splitlines(), files=files)


def try_image(
    box: Box, image: str, out: Path, limits: Path, *options: str, inputs: Path | None = None, **variables: str
) -> Done:
    """`humdial run` of one image; what holds for every run is asserted here."""
    before = _sysctls()
    arguments = ("run", image, "--inputs", inputs or inputs_of(box), "--out", out, "--limits", limits, *options)
    done = command(box, *arguments, sockets=True, **variables)
    assert _sysctls() == before, "a setting of the machine changed"
    assert not (out / ".work").exists()
    assert str(out) not in Path("/proc/self/mountinfo").read_text()
    return done


def seen_of(out: Path, exit_code: int) -> Seen:
    """What became of a run, from its documents; what a team may be told is checked against the canary."""
    record = json.loads((out / "run.json").read_text("utf-8"))
    report = out / "validation.json"
    findings = json.loads(report.read_text("utf-8"))["findings"] if report.exists() else []
    codes = {*record["codes"], *record["warnings"], *(each["code"] for each in findings)} - _OF_THE_MACHINE
    assert codes <= set(all_codes())
    assert exit_code == {"none": 0, "submission": 1, "unclear": 1, "infrastructure": 3}[record["fault"]]
    notice = (out / "team.json").read_text("utf-8")
    assert CANARY not in notice and notice.isascii()
    assert not any(CANARY in path.read_text("utf-8", "replace") for path in out.rglob("*") if path.is_file())
    if record["state"] == "infrastructure":
        outcome = "INFRA"
    elif record["state"] not in ("completed", "output_invalid"):
        outcome = "RUNFAIL"
    elif any(code.startswith("E_OUT") for code in codes):
        outcome = "FLOOR"
    elif any(code.startswith("F_") for code in codes):
        outcome = "FLAG"
    else:
        outcome = "WARN" if codes else "CONTAIN"
    log = (out / "container.log").read_text("utf-8", "replace") if (out / "container.log").exists() else ""
    assert "ESCAPED" not in log, [line for line in log.splitlines() if "ESCAPED" in line][:10]
    told = sorted(each["code"] for each in json.loads(notice)["codes"] if each["code"] not in _OF_THE_MACHINE)
    document: dict[str, Any] = {**record, "told": told, "finished": log.rstrip().endswith("DONE"), "log": log}
    return Seen(outcome, frozenset(codes), document)


def run(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Done]]:
    """Every subject as an image, under every runtime."""
    runtimes = [name for name in RUNTIMES if name in case.args] or list(RUNTIMES)
    _require(runtimes, request)
    if case.more.get("shares_a_start"):
        return _shared(case, request)
    changes = {name: float(value) for name, _, value in (each.partition("=") for each in case.args) if value}
    limits = limits_of(box, **{name: int(value) if name != "cpus" else value for name, value in changes.items()})
    seen, runs = {}, []
    for subject in sorted(box.subjects.iterdir()):
        image = image_of(subject, request.getfixturevalue("build_image"))
        for runtime, (found, done) in _under(runtimes, box, image, limits, subject.name).items():
            seen[f"{subject.stem}@{runtime}"] = found
            runs.append(done)
    return seen, runs


def _require(runtimes: list[str], request: pytest.FixtureRequest) -> None:
    engine: Engine = request.getfixturevalue("engine")
    if missing := set(runtimes) - set(engine.info()["Runtimes"]):
        pytest.skip(f"this engine has no {', '.join(missing)}")


def _beside_another_that_ran_out_of_memory(out: Path) -> bool:
    """Then nobody can tell whose fault a failure is, and the record says so."""
    record = json.loads((out / "run.json").read_bytes())
    return bool(record["state"] == "failed" and record["fault"] == "unclear")


def _under(runtimes: list[str], box: Box, image: str, limits: Path, name: str) -> dict[str, tuple[Seen, Done]]:
    """The same image under each runtime, at the same time: much of a run is waiting."""
    inputs_of(box)

    def one(runtime: str) -> tuple[Seen, Done]:
        for number in range(5):
            out = box.out / f"{name}@{runtime}{f'-{number}' if number else ''}"
            done = try_image(box, image, out, limits, "--runtime", runtime)
            assert (out / "run.json").exists(), done.stderr.decode()
            if not _beside_another_that_ran_out_of_memory(out):
                break
        return seen_of(out, done.exit), done

    with ThreadPoolExecutor(len(runtimes)) as pool:
        return dict(zip(runtimes, pool.map(one, runtimes), strict=True))


_shared_runs: dict[str, tuple[Seen, Done]] = {}


def _shared(case: Case, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Done]]:
    """Programs that only try what must fail share one container a runtime; each is seen by its own part of the log."""
    if not _shared_runs:
        _shared_runs.update(_start_shared(request))
    seen = {}
    for runtime, (found, _) in _shared_runs.items():
        for part in found.document["log"].split(f"\n{BEGINS}")[1:]:
            number, _, rest = part.partition(" ")
            if number == str(case.number):
                name, _, log = rest.partition("\n")
                document = {**found.document, "finished": log.rstrip().endswith("DONE"), "log": log}
                seen[f"{name}@{runtime}"] = Seen(found.outcome, found.codes, document)
    return seen, [done for _, done in _shared_runs.values()]


def _start_shared(request: pytest.FixtureRequest) -> dict[str, tuple[Seen, Done]]:
    root: Path = request.getfixturevalue("tmp_path_factory").mktemp("shared")
    box, programs = Box.new(root), {}
    for case in cases():
        if case.more.get("shares_a_start"):
            (place := root / case.id).mkdir()
            case.module().make(place, Random(case.number))
            programs |= {f"{case.number} {path.stem}": path.read_text("utf-8") for path in sorted(place.iterdir())}
    (box.subjects / "all.py").write_text(together(programs), "utf-8")
    image = image_of(box.subjects / "all.py", request.getfixturevalue("build_image"))
    found = _under(list(RUNTIMES), box, image, limits_of(box), "all")
    box.remove()
    return found


def own(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Done]]:
    """make.py tries for itself what no single command shows."""
    _require(list(RUNTIMES[:1]), request)
    found: dict[str, Seen] = case.module().run(box, request)
    return found, []


def _sysctls() -> dict[str, str]:
    """Settings of the machine that a container might change."""
    names = ("kernel/core_pattern", "kernel/hostname", "vm/overcommit_memory", "kernel/modprobe", "fs/suid_dumpable")
    return {name: (Path("/proc/sys") / name).read_text() for name in names if (Path("/proc/sys") / name).exists()}


def host(case: Case, box: Box, request: pytest.FixtureRequest) -> tuple[dict[str, Seen], list[Done]]:
    """The same where no engine is needed."""
    found: dict[str, Seen] = case.module().run(box, request)
    return found, []


STAGES |= {"run": run, "own": own, "host": host}

__all__ = ["BuildImage", "image_of", "inputs_of", "limits_of", "seen_of", "try_image"]
