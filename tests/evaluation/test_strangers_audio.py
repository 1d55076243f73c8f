"""A WAV that became hostile after it was checked, wherever audio is heard: for the measures of Track 2, for one pair's
timing, for the pairs that a report plays, for raters, and for what is alike between teams. It is decoded in the child
with limits alone, and what becomes of that has a name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import made
import numpy as np
import pytest

from harness.documents.duplex import Transcript
from harness.documents.report import ChallengeRef, ScoreReport
from harness.errors import HarnessError, MachineError, Refused
from harness.evaluation import rating_page
from harness.evaluation.duplex_timing import PairTimer
from harness.evaluation.likeness import given_audio
from harness.evaluation.pair_listening import Speech, listen
from harness.evaluation.recognising import Spoken
from harness.evaluation.recognising import _read as read_words
from harness.evaluation.run import usable_references
from harness.evaluation.score_files import Found
from harness.evaluation.shown_pairs import PairChoice, shown_pairs
from harness.submission import Recording, Recordings, canonical_wavs, check, read_pairs
from harness.submission.canonical_audio import read_copy
from harness.submission.readers.refusal import Refusal

CHALLENGE = made.CHALLENGE
RULES = CHALLENGE.duplex
assert RULES is not None
SECONDS = 1.5
NAMES = ("test-000001", "test-000002", "test-000003")
LAST = f"test/{NAMES[-1]}_output.wav"
# What a reader does at a file of this name, as if the file had found a fault in it.
HOOK = """
import os, signal, sys
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        if os.path.basename(os.fsdecode(arguments[0])) == %r:
            %s
if "child.py" in " ".join(sys.orig_argv):
    sys.addaudithook(hook)
"""


def another(path: Path) -> None:
    path.write_bytes(made.wav(SECONDS, seed=77))


def two_data_chunks(path: Path) -> None:
    good = made.wav(SECONDS)
    path.write_bytes(made.riff(made.fmt(), good[44:], made.chunk(b"data", good[44:])))


def too_big(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(CHALLENGE.audio.max_bytes + 2)


def silent(path: Path) -> None:
    path.write_bytes(made.wav(SECONDS, level=0))


@pytest.fixture
def broken_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``broken_by(name, action)``: children that open a file of this name do that."""

    def arrange(name: str, action: str) -> None:
        # A folder for each: Python may keep a compiled module whose source of that length changed in the same second.
        folder = tmp_path / "hooks" / action
        made.write(folder, {"sitecustomize.py": (HOOK % (name, action)).encode()})
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return arrange


CRASH, KILLED = "signal.raise_signal(signal.SIGSEGV)", "signal.raise_signal(signal.SIGKILL)"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """inputs/ with a key, and team/ with three outputs."""
    segments = [{"xmin": 0.1, "xmax": 0.5, "text": "a"}, {"xmin": 0.9, "xmax": 1.4, "text": "b"}]
    files = {"team/submission.json": made.manifest(tracks=["track2"]), "team/system_description.pdf": made.pdf()}
    lines = []
    for number, name in enumerate(NAMES):
        files[f"inputs/test/{name}.wav"] = made.wav(SECONDS, seed=number)
        files[f"team/test/{name}_output.wav"] = made.wav(SECONDS, seed=9 + number)
        lines.append({"file": name, "language": "en", "scenario": "follow_up", "part": None, "clean": "clean-000001"})
        lines[-1] |= {"final_duration": SECONDS, "speech_segments": segments}
    for where in ("inputs/clean/clean-000001.wav", "team/clean/clean-000001_output.wav"):
        files[where] = made.wav(SECONDS, seed=5)
    files["inputs/key.jsonl"] = made.jsonl(list(lines))
    return made.write(tmp_path, files)


def code_of(failing: Callable[[], object], kind: type[HarnessError] = Refused) -> str:
    with pytest.raises(kind) as caught:
        failing()
    assert caught.value.hint and str(caught.value).isprintable()
    return caught.value.code


def test_the_measures_of_track_2(pairs: Path, broken_by: Callable[[str, str], None]) -> None:
    gold = read_pairs(pairs / "inputs", CHALLENGE, RULES)
    outcome = check(pairs / "team", CHALLENGE, track="track2", pairs=gold)
    assert outcome.report.valid and outcome.submission is not None
    submission = outcome.submission

    def measured() -> dict[str, Speech]:
        return listen(gold.key, submission, gold.root, pairs / "team", CHALLENGE, RULES)

    calm = measured().values()
    assert len(calm) == 3 and all(pair.user is not None and pair.model is not None for pair in calm)

    good = (pairs / "team" / LAST).read_bytes()
    for hostile in (another, too_big):
        hostile(pairs / "team" / LAST)
        assert code_of(measured) == "E_CHANGED"
    (pairs / "team" / LAST).unlink()
    assert code_of(measured, MachineError) == "I_DISK"
    (pairs / "team" / LAST).write_bytes(good)
    for action, code, kind in ((CRASH, "E_READ_CRASH", Refused), (KILLED, "I_READER", MachineError)):
        broken_by(Path(LAST).name, action)
        assert code_of(measured, kind) == code


def test_the_timing_of_one_pair_after_the_other(pairs: Path, broken_by: Callable[[str, str], None]) -> None:
    user, model = pairs / f"inputs/test/{NAMES[0]}.wav", pairs / "team" / LAST
    with PairTimer(CHALLENGE) as timer:
        good = timer.time(user, model)
        for hostile, code in ((two_data_chunks, "E_WAV_CHUNK"), (too_big, "E_WAV_SIZE")):
            hostile(model)
            assert code_of(lambda: timer.time(model, user)) == code_of(lambda: timer.time(user, model)) == code
        another(model)
        assert timer.time(user, model) == good  # tones are no speech; and the one before has left nothing behind
        silent(model)
        assert timer.time(user, model).model == ()
    broken_by(model.name, CRASH)
    with PairTimer(CHALLENGE) as timer:
        assert code_of(lambda: timer.time(user, model)) == "E_READ_CRASH"
        assert timer.time(user, user).user == good.user  # with a new child


def test_the_pairs_that_a_report_plays(pairs: Path, broken_by: Callable[[str, str], None]) -> None:
    line = {"language": "en", "scenario": "follow_up", "part": None, "state": "ok"}
    (pairs / "pairs.jsonl").write_text("".join(json.dumps({"file": name, **line}) + "\n" for name in NAMES))
    facts = {"display_name": "A", "system": "a", "track": "track2", "policy": "strict", "dimensions": ()}
    reference = ChallengeRef(CHALLENGE.id, CHALLENGE.digest)
    report = ScoreReport(schema_version=1, team="alpha", challenge=reference, **facts)  # type: ignore[arg-type]

    def heard() -> list[bool]:
        choice = PairChoice(3, inputs=pairs / "inputs", outputs={"alpha": pairs / "team"})
        (shown,) = shown_pairs([Found(report, pairs / "report.json")], CHALLENGE, choice).values()
        assert all(pair.audio for pair in shown)  # the user's side is there
        return [not pair.notes for pair in sorted(shown, key=lambda pair: pair.file)]

    assert heard() == [True, True, True]
    for hostile in (two_data_chunks, too_big):
        hostile(pairs / "team" / LAST)
        assert heard() == [True, True, False]
    another(pairs / "team" / LAST)
    broken_by(Path(LAST).name, CRASH)
    assert heard() == [True, True, False]


def test_what_raters_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    references = made.write(tmp_path / "references", made.inputs(audio=True))
    team = made.write(tmp_path / "team", made.submission())
    wavs = {wav: wav.read_bytes() for wav in team.rglob("*.wav")}

    def pages(hostile: Callable[[Path], object]) -> int:
        def checked_then_changed(*arguments: object, **options: object) -> object:
            outcome = check(*arguments, **options)  # type: ignore[arg-type]
            for wav in wavs:
                hostile(wav)
            return outcome

        monkeypatch.setattr(rating_page, "check", checked_then_changed)
        for wav, good in wavs.items():
            wav.write_bytes(good)
        (work := tmp_path / f"work-{len(list(tmp_path.iterdir()))}").mkdir()
        rated, track = [rating_page.RatedTeam(team)], CHALLENGE.tracks["track1"]
        made_, _ = rating_page.rating_pages(rated, references, CHALLENGE, track, "s", work, lambda _: None)
        return sum(len(page.items) for page in made_)

    assert pages(Path.exists) == 4  # nothing has changed
    for hostile in (another, too_big):
        assert code_of(lambda hostile=hostile: pages(hostile)) == "E_CHANGED"  # type: ignore[misc]


def test_what_is_alike_between_teams(tmp_path: Path, broken_by: Callable[[str, str], None]) -> None:
    inputs = made.write(tmp_path / "inputs", made.inputs(audio=True))
    for number, wav in enumerate(inputs.rglob("*.wav")):
        wav.write_bytes(made.wav(seed=number))
    gold = usable_references(inputs, CHALLENGE, need_labels=False)
    before = given_audio(gold.dialogues, gold.root, CHALLENGE, gold.layout)
    first, second, third = sorted(inputs.rglob("*.wav"))[:3]
    two_data_chunks(first)
    too_big(second)
    broken_by(third.name, CRASH)
    assert len(before - given_audio(gold.dialogues, gold.root, CHALLENGE, gold.layout)) == 3


def test_a_copy_is_believed_only_when_every_byte_of_its_header_is_ours(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(made.wav(SECONDS, 44_100, bits=24))
    with Recordings(CHALLENGE) as recordings:
        slow, fast = recordings.each([Recording(source), Recording(source, rate_hz=44_100)])
        assert (len(slow), len(fast), slow.dtype) == (16_000 * 3 // 2, 44_100 * 3 // 2, np.int16)
        folder = Path(recordings._folder.name)
        assert list(folder.iterdir()) == [] and folder.stat().st_mode & 0o077 == 0
        many = recordings.each([Recording(source)] * 60)
        most = max(len(list(folder.iterdir())) for _ in many)
        assert 0 < most <= 17
    assert not folder.exists()
    canonical_wavs([(source, tmp_path / "0.wav", None)], CHALLENGE)
    assert len((tmp_path / "0.wav").read_bytes()) == 44 + 2 * len(slow)
    # What a reader that a file has taken over could leave instead.
    copy = (tmp_path / "0.wav").read_bytes()
    other_rate, longer = copy[:24] + b"\x80\xbb\0\0" + copy[28:], copy + b"\0\0"
    for number, forged in enumerate((other_rate, longer, copy[:-1], copy[:44], b"RIFF", b"")):
        (tmp_path / f"{number}.forged").write_bytes(forged)
    (tmp_path / "link.forged").symlink_to(tmp_path / "0.wav")
    os.mkfifo(tmp_path / "pipe.forged")
    assert len(read_copy(tmp_path / "0.wav", 16_000, len(copy))) == len(slow)
    for path in (*tmp_path.glob("*.forged"), tmp_path / "0.wav"):
        with pytest.raises((Refusal, OSError)):
            read_copy(path, 16_000, len(copy) - 1 if path.name == "0.wav" else 1 << 20)


def test_a_reader_without_memory_for_a_file_says_so(tmp_path: Path) -> None:
    source = tmp_path / "wide.wav"
    samples = (0.4 * np.sin(np.arange(48_000 * 80) / 20)).astype("<f8")
    source.write_bytes(made.riff(made.fmt(3, rate=48_000, bits=64), samples.tobytes()))
    small = replace(CHALLENGE, read_limits=replace(CHALLENGE.read_limits, child_memory_bytes=100 << 20))
    with Recordings(small) as recordings:
        assert code_of(lambda: recordings.samples(Recording(source))) == "E_READ_LIMIT"
    with Recordings(CHALLENGE) as recordings:
        assert len(recordings.samples(Recording(source))) == 16_000 * 80


def test_what_a_recogniser_says_of_hostile_audio_is_read_line_by_line() -> None:
    names, wanted = {"audio/0.wav": "a"}, {"a": Spoken(Path("a.wav"), "en", 5.0, None)}
    word = '{"text": "hi", "chunks": [{"text": "hi", "timestamp": [1.0, 1.5]}]}'
    good = f'{{"file": "audio/0.wav", "state": "heard", "transcript": {word}}}'
    bad = ("[" * 100_000, f'{{"file": "audio/0.wav", "state": "heard", "transcript": {"[" * 50_000}', "null", "7", "{}")
    bad += (
        '{"file": ["audio/0.wav"], "state": "heard"}',
        '{"file": "../x", "state": "heard"}',
        good.replace("1.5", "NaN"),
    )
    found = read_words("\n".join((*bad, good)).encode(), names, wanted)
    assert [word.text for word in (found["a"] or Transcript("", ())).words] == ["hi"]
    assert read_words("\n".join(bad).encode(), names, wanted) == {}
