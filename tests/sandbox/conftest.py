"""A few dialogues with audio that carries metadata, as organisers might have them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sandbox_inputs import MIB, SECRET_TEXT, Inputs, wav_with_metadata

from harness.challenge.load import load_challenge
from harness.challenge.spec import Challenge, RunLimits
from harness.documents.reference import ReferenceDialogue, ReferenceTurn


@pytest.fixture(scope="session")
def challenge() -> Challenge:
    return load_challenge()


@pytest.fixture(scope="session")
def small_limits(challenge: Challenge) -> RunLimits:
    """Limits that any machine has and that a test reaches in a moment."""
    return replace(
        challenge.run_limits,
        wall_s=20,
        stop_grace_s=1,
        memory_bytes=192 * MIB,
        cpus=1.0,
        pids=48,
        tmp_bytes=8 * MIB,
        tmp_inodes=200,
        shm_bytes=8 * MIB,
        output_bytes=8 * MIB,
        output_inodes=200,
        log_bytes=64 * 1024,
        nofile=256,
    )


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory, challenge: Challenge) -> Inputs:
    """Three dialogues a language in a text task and in an audio task, two turns each."""
    root = tmp_path_factory.mktemp("inputs")
    dialogues = []
    for language in challenge.languages:
        for task in ("task2", "task4"):
            (root / language / task).mkdir(parents=True)
            for number in range(1, 4):
                dialogue_id = f"{task}_2_{language}_{number:04d}_0001"
                turns = []
                for turn in (1, 2):
                    name = f"{task}/{dialogue_id}_{turn}.wav"
                    audio = wav_with_metadata(1600 * turn + 10 * number, f"{dialogue_id} sad".encode())
                    (root / language / name).write_bytes(audio)
                    turns.append(ReferenceTurn(turn, SECRET_TEXT, ("sad", "neutral")[turn % 2], name))
                dialogues.append(ReferenceDialogue(task, language, dialogue_id, tuple(turns)))
    return Inputs(root, tuple(dialogues))
