"""Audio of no seconds, of half an hour, with numbers that are none: each reply gets a state of its own, and what the
judge is asked about all others stays the same to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import made
import numpy as np
import pytest

from harness.challenge.evaluated_turn import evaluated_index
from harness.documents.verdict import JudgeRequest
from harness.evaluation.judging import Key, judge_requests
from harness.evaluation.run import usable_references
from harness.scoring import plan_items
from harness.submission import check

CHALLENGE = made.CHALLENGE
NAMES = CHALLENGE.layouts["seed"]
TURN = 2  # the second turn that is not neutral: the one that is judged
TONE = np.sin(np.arange(4800) / 9).astype("<f4") * 0.4
BAD = {
    ("en", 0): ("E_WAV_DUR", made.riff(made.fmt(), b"")),
    ("en", 1): ("E_WAV_DUR", made.riff(made.fmt(rate=8000), bytes([0, 16]) * (8000 * 1800))),
    ("zh", 0): (
        "E_WAV_NONFINITE",
        made.riff(made.fmt(3, bits=32), np.where(np.arange(4800) == 7, np.nan, TONE).astype("<f4").tobytes()),
    ),
}


@dataclass(frozen=True)
class Asked:
    """What came of a submission: the codes of the check, states by item, and the judge's requests."""

    codes: frozenset[str]
    states: dict[Key, dict[str, str | None]]
    requests: dict[Key, JudgeRequest]


def asked(files: made.Files, work: Path, *, from_image: bool = True) -> Asked | None:
    """None when the submission is refused."""
    (work / "scratch").mkdir(parents=True)
    gold = usable_references(made.write(work / "gold", made.inputs()), CHALLENGE, need_labels=True)
    subject = made.write(work / "subject", files)
    outcome = check(
        subject, CHALLENGE, expected=gold.dialogues, policy="strict", from_image=from_image, work=work / "scratch"
    )
    codes = frozenset(finding.code for finding in outcome.report.findings)
    if not outcome.report.valid or outcome.submission is None or outcome.root is None:
        assert codes >= {code for code, _ in BAD.values()}
        return None
    profile, policy = CHALLENGE.judges["qwen3-omni"], CHALLENGE.policies["strict"]
    plan = plan_items(gold.dialogues, outcome.submission, CHALLENGE, policy, gold.layout, profile)
    requests = judge_requests(plan, outcome.root, CHALLENGE, "sha256:" + "0" * 64, work / "scratch")
    return Asked(codes, {each.key: dict(each.states) for each in plan.dialogues}, requests)


@pytest.fixture(scope="module")
def files() -> made.Files:
    """A submission whose audio is bad in the evaluated turn of three replies."""
    assert evaluated_index(made.EMOTIONS, CHALLENGE.tasks["task4"].evaluated_turn, "neutral") == TURN - 1
    changed = made.submission()
    for (language, number), (_, data) in BAD.items():
        name = NAMES.audio_path(language, "task4", made.ids("task4", language)[number], TURN)
        assert name in changed
        changed[name] = data
    return changed


def test_each_has_its_state_and_no_other_request_changes(files: made.Files, tmp_path: Path) -> None:
    before, after = asked(made.submission(), tmp_path / "before"), asked(files, tmp_path / "after")
    assert before is not None
    assert after is not None
    assert after.codes - before.codes >= {code for code, _ in BAD.values()}
    bad = {("task4", language, made.ids("task4", language)[number]) for language, number in BAD}
    audio = CHALLENGE.tasks["task4"].dimension_ids("audio")
    for key, states in after.states.items():
        if key in bad:
            assert {states[name] for name in audio} == {"invalid"}
            assert [name for name, state in states.items() if state is None] == ["textual_empathy_insight"]
            # Its text is judged, and nothing of the sound goes to the judge.
            assert after.requests[key].audio is None
            assert after.requests[key].dimensions == ("textual_empathy_insight",)
        else:
            assert states == before.states[key]
            assert after.requests[key] == before.requests[key]
    assert len(bad) == 3
    assert after.requests.keys() == before.requests.keys()


def test_a_submission_that_a_team_hands_in_itself_is_refused_for_them(files: made.Files, tmp_path: Path) -> None:
    assert asked(files, tmp_path, from_image=False) is None
