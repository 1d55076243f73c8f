"""One container run of a trivial image through the harness, against `docker run` with the same flags.

The harness's side is the whole of it: create, compare the engine's view, start, follow, keep the log, collect, remove,
with a capped output store made and released. The peer is the `docker` client on the same engine with the same flags
and a plain output folder. Paired: the two take turns, so that both see the same machine.
Prints the median of the paired ratios; the aim is at most 1.25.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge, RunLimits
from harness.documents.reference import ReferenceDialogue, ReferenceTurn
from harness.sandbox import Engine, Mount, Profile, connect, effective_limits, output_store, run_container, seccomp_text
from harness.sandbox.collector import collect_outputs
from harness.sandbox.profile import container_arguments
from harness.sandbox.staging import Staged, layout_of, stage_inputs, wav_header

CHECKOUT = Path(__file__).resolve().parent.parent
PAIRS = 15
AIM = 1.25


@dataclass(frozen=True)
class Bench:
    """What both sides use: one engine, one image, one staged dialogue."""

    engine: Engine
    image: str
    limits: RunLimits
    challenge: Challenge
    staged: Staged
    work: Path

    def profile(self, output: Path, number: int) -> Profile:
        return Profile(
            role="team",
            nonce=f"bench{os.getpid()}x{number}",
            limits=self.limits,
            mounts=(Mount(self.staged.root, "/input"), Mount(output, "/output", read_only=False)),
            environment=(("HOME", "/tmp"),),
            seccomp=seccomp_text(),
            entrypoint=("/bin/true",),
            command=(),
        )

    def harness_run(self, number: int) -> float:
        """Seconds of one run through the harness."""
        start = time.perf_counter()
        files = self.limits.output_inodes
        with output_store(self.work / "store", self.limits.output_bytes, files) as store:
            profile = self.profile(store.path, number)
            outcome = run_container(self.engine, profile, self.image, deadline_s=60, log_path=self.work / "log")
            target, cap_bytes = self.work / f"submission{number}", self.limits.output_bytes
            collect_outputs(store.path, target, self.staged, self.challenge, files, cap_bytes)
        assert outcome.exit_code == 0
        return time.perf_counter() - start

    def docker_run(self, number: int) -> float:
        """Seconds of one `docker run` with the same flags."""
        output = self.work / f"plain{number}"
        output.mkdir()
        arguments = container_arguments(self.profile(output, number), self.image)
        command = ["docker", "run", "--rm", *docker_flags(arguments, self.work / "seccomp.json"), self.image]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start


def prepare(work: Path) -> Bench:
    """The engine, the base image and one staged dialogue below ``work``."""
    subprocess.run(
        [CHECKOUT / "sandbox" / "base-image.sh"],
        check=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHON": sys.executable},
    )
    engine = connect()
    os.environ["DOCKER_HOST"] = engine.address
    challenge = load_challenge()
    limits, _ = effective_limits(replace(challenge.run_limits, memory_bytes=1 << 30, cpus=1.0), engine.host())
    language, task = challenge.languages[0], next(t for t in challenge.tasks if challenge.tasks[t].ranked)
    source = work / "source" / Path(layout_of(challenge).jsonl_path(language, task)).parent
    source.mkdir(parents=True)
    (source / "a.wav").write_bytes(wav_header(3200, 1, 16000) + bytes(3200))
    dialogue = ReferenceDialogue(task, language, "benchmark-1", (ReferenceTurn(1, None, None, "a.wav"),))
    staged = stage_inputs([dialogue], work / "source", work / "input", challenge, "s")
    (work / "seccomp.json").write_text(seccomp_text(), "utf-8")
    return Bench(engine, engine.image_id("humdial/base:local") or "", limits, challenge, staged, work)


def main() -> int:
    if shutil.which("docker") is None:
        print("container: skipped, there is no docker client to compare with")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(Path(folder).resolve())
        bench.harness_run(1000)  # both warm
        bench.docker_run(1001)
        pairs = []
        for number in range(PAIRS):
            if number % 2:
                ours, theirs = bench.harness_run(number), bench.docker_run(number)
            else:
                theirs, ours = bench.docker_run(number), bench.harness_run(number)
            pairs.append((ours, theirs))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    verdict = "within" if ratio <= AIM else "ABOVE"
    print(f"container: harness {ours:.3f} s, docker run {theirs:.3f} s, ratio {ratio:.2f} ({verdict} {AIM}, n={PAIRS})")
    return 0 if ratio <= AIM else 1


def docker_flags(arguments: dict[str, Any], seccomp_file: Path) -> list[str]:
    """The same request as options of `docker run`."""
    host = arguments["HostConfig"]
    flags = [
        "--network=none", "--pull=never", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
        f"--security-opt=seccomp={seccomp_file}", "--ipc=private", "--cgroupns=private", "--init", "--no-healthcheck",
        "--restart=no", f"--user={arguments['User']}", f"--hostname={arguments['Hostname']}",
        f"--shm-size={host['ShmSize']}", f"--memory={host['Memory']}", f"--memory-swap={host['MemorySwap']}",
        f"--pids-limit={host['PidsLimit']}", f"--cpus={host['NanoCpus'] / 1e9}", f"--dns={host['Dns'][0]}",
        f"--oom-score-adj={host['OomScoreAdj']}", f"--log-driver={host['LogConfig']['Type']}",
        f"--entrypoint={arguments['Entrypoint'][0]}",
    ]  # fmt: skip
    flags += [f"--log-opt={key}={value}" for key, value in host["LogConfig"]["Config"].items()]
    flags += [f"--ulimit={each['Name']}={each['Soft']}:{each['Hard']}" for each in host["Ulimits"]]
    flags += [f"--tmpfs={place}:{options}" for place, options in host["Tmpfs"].items()]
    flags += [f"--env={each}" for each in arguments["Env"]]
    flags += [f"--label={key}={value}" for key, value in arguments["Labels"].items()]
    for mount in host["Mounts"]:
        read_only = ",readonly" if mount["ReadOnly"] else ""
        flags.append(
            f"--mount=type=bind,src={mount['Source']},dst={mount['Target']}{read_only},bind-propagation=rprivate"
        )
    return flags


if __name__ == "__main__":
    sys.exit(main())
