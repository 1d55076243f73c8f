"""The judge's texts in prompts/: rubrics of the tasks and the texts of the likelihood contrasts, with their digests."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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


def prompt_digests() -> dict[str, str]:
    """Every file under prompts/ by its path there, with the sha256 of its bytes. They enter the fingerprint."""
    root = data_dir("prompts")
    return {
        path.relative_to(root).as_posix(): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in (".md", ".toml")
    }


def load_rubric(task: str) -> Rubric:
    """The newest rubric of a task. Raises UsageError (E_PROMPT) when there is none or its parts disagree."""
    folder = data_dir("prompts") / task
    try:
        meta = tomllib.loads((folder / "meta.toml").read_text("utf-8"))
        template = (folder / f"v{meta['version']}.md").read_text("utf-8")
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
    path: Path = data_dir("prompts") / "contrasts" / f"{language}.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"there are no contrast texts for the language {language!r}",
            code="E_PROMPT",
            hint=f"add prompts/contrasts/{language}.toml, or choose another judge profile",
        ) from error


def _wrong(task: str, what: str) -> UsageError:
    return UsageError(
        f"the rubric of {task} {what}", code="E_PROMPT", hint="correct prompts/ and build the judge again"
    )
