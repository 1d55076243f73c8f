"""`humdial precheck`: a team's image in the official sandbox on the dev set, and what that says of the hidden set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from harness import __version__
from harness.challenge.spec import Challenge, RunLimits
from harness.documents.codec import pretty_json, to_plain, write_atomic
from harness.documents.codes import finding, lookup
from harness.documents.finding import ChallengeRef, Finding, ValidationReport
from harness.documents.precheck import Amount, PrecheckReport, PrecheckRun, Projection, Verdict
from harness.documents.reference import ReferenceDialogue
from harness.documents.run_record import RunRecord
from harness.errors import MachineError
from harness.evaluation.projection import line, project
from harness.evaluation.run import LOG, prepared_out, run_image, usable_references
from harness.sandbox import attempted_hosts, connect, run_team_image

REPORT = "precheck.json"
_SHARES = (4, 2)  # a quarter and a half of the dev set run before the whole
_CROWDED = 0.9  # of the memory limit
_MIX = 0.05  # a task's share of the dev set may differ this much from its share of the hidden set
_ORDER = {"error": 0, "warning": 1, "info": 2}


def precheck(
    image: str,
    inputs: Path,
    out: Path,
    challenge: Challenge,
    *,
    limits: RunLimits,
    seed: str,
    gpu: str | None = None,
    hidden: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> PrecheckReport:
    """Run ``image`` on a quarter, a half and all of the dialogues in ``inputs`` and judge whether it is ready.

    Each run's results stay in ``out``/run-N, the report in ``out``/precheck.json. ``hidden`` replaces the number of
    dialogues that the spec says the hidden set has. A run that fails ends the series: its reason is the first fix.

    Raises UsageError for unusable inputs or an unknown image, MachineError when our side fails.
    """
    references = usable_references(inputs, challenge, need_labels=False)
    sets = nested_sets(references.dialogues)
    records: list[tuple[int, RunRecord]] = []
    validation: ValidationReport | None = None
    for number, chosen in enumerate(sets, 1):
        say(f"run {number} of {len(sets)}: {len(chosen)} dialogues")
        place = out / f"run-{number}"
        if len(chosen) == len(references.dialogues):
            result = run_image(image, inputs, place, challenge, limits=limits, seed=seed, gpu=gpu)
            record, validation = result.record, result.validation
        else:
            with prepared_out(place):
                record, _ = run_team_image(
                    connect(), image, chosen, references.root, place, challenge, limits, seed=seed, gpu=gpu
                )
        if record.fault == "infrastructure":
            raise MachineError(
                f"the run did not end because of the image: {', '.join(record.codes)}",
                code="R_INFRASTRUCTURE",
                hint="try again; `docker info` says how the engine is",
            )
        records.append((len(chosen), record))
        if record.state != "completed":
            break
    log = out / f"run-{len(records)}" / LOG
    report = judged(records, validation, references.dialogues, challenge, limits, log, hidden)
    write_atomic(out / REPORT, pretty_json(to_plain(report)))
    return report


def nested_sets(dialogues: Sequence[ReferenceDialogue]) -> list[list[ReferenceDialogue]]:
    """Growing parts of the dialogues, the last is all: each has of every task and language its share, at least one."""
    groups: dict[tuple[str, str], list[ReferenceDialogue]] = defaultdict(list)
    for dialogue in dialogues:
        groups[dialogue.task, dialogue.language].append(dialogue)
    sets = []
    for share in _SHARES:
        sets.append([each for group in groups.values() for each in group[: max(1, len(group) // share)]])
    sets.append(list(dialogues))
    return [part for place, part in enumerate(sets) if place == len(sets) - 1 or len(part) < len(sets[place + 1])]


def judged(
    records: Sequence[tuple[int, RunRecord]],
    validation: ValidationReport | None,
    dialogues: Sequence[ReferenceDialogue],
    challenge: Challenge,
    limits: RunLimits,
    log: Path,
    hidden: int | None,
) -> PrecheckReport:
    """The report from what was measured. ``limits`` are the official ones, also where this machine has less."""
    size, last = records[-1]
    completed = [(n, record) for n, record in records if record.state in ("completed", "output_invalid")]
    target = hidden or hidden_dialogues(challenge, dialogues)
    time = memory = output = None
    if completed and target:
        time = project([(n, record.wall_s) for n, record in completed], target, limits.wall_s)
    peaks = [(n, record.peak_memory_bytes) for n, record in completed if record.peak_memory_bytes is not None]
    if peaks:
        fixed, each = line([(n, float(peak)) for n, peak in peaks]) if len(peaks) > 1 else (float(peaks[0][1]), 0.0)
        seen = max(peak for _, peak in peaks)
        memory = Amount(seen, max(seen, round(fixed + each * max(target, size))), limits.memory_bytes)
    if last.state == "completed" and last.outputs and target:
        written = sum(file.bytes for file in last.outputs)
        output = Amount(written, round(written * target / size), limits.output_bytes)
    hosts, failed_lookup = attempted_hosts(log)
    fixes = [
        *_of_run(last),
        *_of_outputs(validation),
        *_of_projection(time, memory, output),
        *([finding("W_PRE_NETWORK", hosts=", ".join(hosts) or "a host")] if failed_lookup or hosts else []),
        *_of_mix(challenge, dialogues),
    ]
    fixes.sort(key=lambda each: _ORDER[each.severity])
    return PrecheckReport(
        schema_version=1,
        image_id=last.image_id,
        verdict=_verdict(fixes, time),
        runs=tuple(PrecheckRun(n, record.state, record.wall_s, record.peak_memory_bytes) for n, record in records),
        time=time,
        memory=memory,
        output=output,
        valid=None if validation is None else validation.valid,
        offline=last.state == "completed",
        hosts=hosts,
        fixes=tuple(fixes),
        challenge=ChallengeRef(challenge.id, challenge.digest),
        harness_version=__version__,
    )


def hidden_dialogues(challenge: Challenge, dialogues: Sequence[ReferenceDialogue]) -> int:
    """How many dialogues the hidden set has in the tracks that the dev set is of; 0 when the spec does not say."""
    return sum(_hidden_mix(challenge, dialogues).values())


def _hidden_mix(challenge: Challenge, dialogues: Sequence[ReferenceDialogue]) -> Counter[tuple[str, str]]:
    tracks = {challenge.tasks[dialogue.task].track for dialogue in dialogues}
    return Counter(
        {
            (task.id, language): task.hidden_dialogues
            for task in challenge.tasks.values()
            for language in challenge.languages
            if task.track in tracks and task.hidden_dialogues
        }
    )


def _verdict(fixes: Sequence[Finding], time: Projection | None) -> Verdict:
    if any(each.severity == "error" for each in fixes):
        return "not_ready"
    return "uncertain" if time is None or time.high_s > time.limit_s else "ready"


def _of_run(record: RunRecord) -> list[Finding]:
    """The codes of the run record, in the words of their entries; the record keeps no values."""
    found = []
    for code in (*record.codes, *record.warnings):
        if code == "W_OFFLINE":  # W_PRE_NETWORK says more: on the dev set any host may be named
            continue
        entry = lookup(code)
        blame = record.state != "completed" and code in record.codes
        found.append(Finding(code, "error" if blame else "warning", entry.title, _general(entry.hint)))
    return found


def _general(hint: str) -> str:
    """A hint whose values are not known any more: without those that would need them."""
    return "" if "{" in hint else hint


def _of_outputs(validation: ValidationReport | None) -> list[Finding]:
    """What is wrong with the outputs, one finding a code with the number of its like."""
    if validation is None:
        return []
    counts = Counter(each.code for each in validation.findings if each.severity != "info")
    firsts: dict[str, Finding] = {}
    for each in validation.findings:
        if each.severity != "info":
            firsts.setdefault(each.code, each)
    return [
        replace(first, message=first.message + (f", and {counts[code] - 1} more like it" if counts[code] > 1 else ""))
        for code, first in firsts.items()
    ]


def _of_projection(time: Projection | None, memory: Amount | None, output: Amount | None) -> list[Finding]:
    found = []
    if time is not None and time.high_s > time.limit_s:
        found.append(
            finding(
                "E_PRE_TIME" if time.low_s > time.limit_s else "W_PRE_TIME",
                dialogues=time.dialogues,
                low=f"{time.low_s:,.0f} s",
                high=f"{time.high_s:,.0f} s",
                limit=f"{time.limit_s:,.0f} s",
            )
        )
    if memory is not None and memory.expected_bytes > _CROWDED * memory.limit_bytes:
        found.append(_amount("W_PRE_MEMORY", memory))
    if output is not None and output.expected_bytes > output.limit_bytes:
        found.append(_amount("E_PRE_OUTPUT", output))
    return found


def _amount(code: str, amount: Amount) -> Finding:
    seen, expected, limit = (
        f"{bytes_ / 2**30:.2f} GiB" for bytes_ in (amount.seen_bytes, amount.expected_bytes, amount.limit_bytes)
    )
    return finding(code, seen=seen, expected=expected, limit=limit)


def _of_mix(challenge: Challenge, dialogues: Sequence[ReferenceDialogue]) -> list[Finding]:
    """A dev set of another mix than the hidden set projects another cost a dialogue."""
    hidden = _hidden_mix(challenge, dialogues)
    if not hidden:
        return []
    here = Counter((dialogue.task, dialogue.language) for dialogue in dialogues)
    names = [
        f"{task} {language}"
        for task, language in sorted({*hidden, *here})
        if abs(here[task, language] / here.total() - hidden[task, language] / hidden.total()) > _MIX
    ]
    return [finding("W_PRE_MIX", names=", ".join(names))] if names else []
