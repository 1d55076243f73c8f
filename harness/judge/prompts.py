"""The judge's texts in prompts/: rubrics of the tasks and the texts of the likelihood contrasts, with their digests."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.challenge.spec import Challenge
from harness.errors import UsageError
from harness.resources import data_dir

PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")


@dataclass(frozen=True, slots=True)
class Rubric:
    """One task's rubric. ``template`` holds {{placeholders}}; ``dimensions`` and ``scale`` must be the challenge's."""

    task: str
    version: int
    template: str
    dimensions: tuple[str, ...]
    scale: tuple[int, ...]
    placeholders: tuple[str, ...]


OWN = "HUMDIAL_PROMPTS"  # the organisers' folder of prompts, in place of ours where it has a folder of the same name


def prompt_files() -> dict[str, Path]:
    """Every prompt file by its path under prompts/. A folder of the organisers' own (HUMDIAL_PROMPTS) stands for ours
    of the same name as a whole. Raises UsageError (E_PROMPT) when that variable names no folder with prompts."""
    found = _below(data_dir("prompts"))
    if own := os.environ.get(OWN):
        theirs = _below(Path(own))
        if not theirs:
            raise UsageError(
                f"{own} holds no prompts",
                code="E_PROMPT",
                hint="pass a folder like prompts/: TASK/meta.toml, TASK/v1.md",
            )
        replaced = {name.split("/")[0] for name in theirs}
        found = {name: path for name, path in found.items() if name.split("/")[0] not in replaced} | theirs
    return dict(sorted(found.items()))


def _below(root: Path) -> dict[str, Path]:
    paths = (path for path in root.rglob("*") if path.is_file() and path.suffix in (".md", ".toml"))
    return {path.relative_to(root).as_posix(): path for path in paths if path.parent != root}


def prompt_digests() -> dict[str, str]:
    """Every prompt file by its path, with the sha256 of its bytes. They enter the fingerprint."""
    return {name: "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() for name, path in prompt_files().items()}


def check_prompts(challenge: Challenge) -> None:
    """Raises UsageError (E_PROMPT) unless every rubric has the dimensions and scale of its task in ``challenge``."""
    for name in prompt_files():
        task = challenge.tasks.get(name.split("/")[0])
        if task is None or not name.endswith("/meta.toml"):
            continue
        rubric = load_rubric(task.id)
        if rubric.dimensions != task.dimension_ids() or rubric.scale != task.scale:
            raise _wrong(task.id, f"asks for {rubric.dimensions} on {rubric.scale}, not what the challenge marks")


def load_rubric(task: str) -> Rubric:
    """The newest rubric of a task. Raises UsageError (E_PROMPT) when there is none or its parts disagree."""
    files = prompt_files()
    try:
        meta = tomllib.loads(files[f"{task}/meta.toml"].read_text("utf-8"))
        template = files[f"{task}/v{meta['version']}.md"].read_text("utf-8")
        rubric = Rubric(
            task=task,
            version=meta["version"],
            template=template,
            dimensions=tuple(meta["dimensions"]),
            scale=tuple(meta["scale"]),
            placeholders=tuple(meta["placeholders"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _wrong(task, f"cannot be read: {error}") from error
    named = set(PLACEHOLDER.findall(template))
    if named != set(rubric.placeholders):
        raise _wrong(task, f"names {sorted(named)} but its meta.toml lists {sorted(rubric.placeholders)}")
    return rubric


def render_rubric(rubric: Rubric, values: Mapping[str, str]) -> str:
    """Fill every placeholder in one pass: braces in a value stay what they are, whatever they look like.

    Raises UsageError (E_PROMPT) when a value is missing or too many.
    """
    if set(values) != set(rubric.placeholders):
        raise _wrong(rubric.task, f"wants {sorted(rubric.placeholders)}, got {sorted(values)}")
    return PLACEHOLDER.sub(lambda match: values[match.group(1)], rubric.template)


@cache
def contrast_texts(language: str) -> dict[str, Any]:
    """The likelihood judge's texts in one language. Raises UsageError (E_PROMPT) when there are none."""
    try:
        return tomllib.loads(prompt_files()[f"contrasts/{language}.toml"].read_text("utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"there are no contrast texts for the language {language!r}",
            code="E_PROMPT",
            hint=f"add prompts/contrasts/{language}.toml, or choose another judge profile",
        ) from error


def _wrong(task: str, what: str) -> UsageError:
    return UsageError(
        f"the rubric of {task} {what}", code="E_PROMPT", hint="correct prompts/ and build the judge again"
    )
