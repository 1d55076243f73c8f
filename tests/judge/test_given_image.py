"""A judge image that was built otherwise: what counts is what is installed in it, on the real engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from test_judge_command import humdial

from harness.challenge.load import load_challenge
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_container import bytecode_folder
from harness.evaluation.judge_contents import application_layer
from harness.evaluation.judge_given import given_problems, look_into
from harness.evaluation.judge_image import JudgeImage, judge_folder, show_judge
from harness.sandbox import Engine

pytestmark = [pytest.mark.engine, pytest.mark.judge]
CHALLENGE = load_challenge()
SMALL = CHALLENGE.judges["small"]
BuildOn = Callable[..., str]
TAG = "humdial-test/judge-given"


@pytest.fixture(scope="module")
def build_on(engine: Engine) -> Iterator[BuildOn]:
    """``build_on(image, lines, files)``: the id of an image made by the engine's own builder."""
    made: list[str] = []

    def build(image: str, *lines: str, files: Mapping[str, bytes] | None = None) -> str:
        context = io.BytesIO()
        recipe = "\n".join((f"FROM {image}", *lines, "")).encode()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, data in {"Dockerfile": recipe, **(files or {})}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        context.seek(0)
        made.append(f"{TAG}:{len(made)}")
        said = list(
            engine.api.build(
                fileobj=context, custom_context=True, tag=made[-1], network_mode="none", rm=True, decode=True
            )
        )
        image_id = engine.image_id(made[-1])
        assert image_id is not None, said
        return image_id

    yield build
    for tag in made:
        engine.api.remove_image(tag, force=True)


def test_the_fingerprint_follows_the_installed_files_and_not_the_images_id(
    judge: JudgeImage, engine: Engine, build_on: BuildOn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, compiled = judge_folder("small") / "weights", bytecode_folder(judge.image_id)
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path))
    folder = judge_folder("small")
    folder.mkdir(parents=True)
    (folder / "weights").symlink_to(weights)
    same = build_on(judge.image_id, 'LABEL built="otherwise"')
    other = build_on(judge.image_id, "COPY more.py /opt/judge/site/more.py", files={"more.py": b"MORE = 1\n"})
    for image in (judge.image_id, same, other):  # their sources are the same, and compiling them takes long
        bytecode_folder(image).parent.mkdir(exist_ok=True)
        bytecode_folder(image).symlink_to(compiled)
    engine.api.tag(same, TAG, "mine")
    made = {}
    for name, image in (("same", f"{TAG}:mine"), ("other", other)):
        built = humdial("build", "-q", "--image", image, cache=tmp_path)
        assert built.returncode == 0, built.stderr
        made[name] = show_judge(CHALLENGE, SMALL)
        assert built.stdout.strip() == made[name].image_id == {"same": same, "other": other}[name]
        assert made[name].lock.made == "dockerfile"
        assert made[name].fingerprint_inputs["image_id"] == made[name].lock.installed
    assert len({judge.fingerprint, *(each.fingerprint for each in made.values())}) == 3
    # The archive's own id is another than that of an image made from it, and the files are the same.
    assert same != judge.image_id
    assert given_problems(replace(made["same"].lock, image_id=judge.image_id)) == []


def test_an_image_without_this_harness_is_refused(engine: Engine, base_image: str, build_on: BuildOn) -> None:
    with pytest.raises(UsageError) as missing:
        look_into(engine, "humdial-test/never-built:1")
    assert missing.value.code == "E_JUDGE_MISSING"
    with pytest.raises(MachineError, match="holds no judge") as bare:
        look_into(engine, base_image)
    assert bare.value.code == "I_JUDGE_BUILD"
    files = {name: entry.source.read_bytes() for name, entry in application_layer("app").entries.items()}  # type: ignore[union-attr]
    files["app/harness/judge/worker.py"] += b"\n# another version\n"
    older = build_on(base_image, "COPY app/ /opt/judge/app/", "ENV PYTHONPATH=/opt/judge/app", files=files)
    with pytest.raises(MachineError, match=r"harness/judge/worker\.py .* is not this harness's") as stale:
        look_into(engine, older)
    assert stale.value.code == "I_JUDGE_BUILD"
