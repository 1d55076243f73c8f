"""Our rubrics: for every ranked task, with the challenge's dimensions and scale, filled in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.challenge.load import load_challenge
from harness.errors import UsageError
from harness.evaluation.judge_contents import application_layer
from harness.judge import prompt_digests
from harness.judge.prompts import check_prompts, contrast_texts, load_rubric, render_rubric

RANKED = [task for task in load_challenge().tasks.values() if task.ranked]


@pytest.mark.parametrize("task", RANKED, ids=lambda task: task.id)
def test_the_rubric_has_the_challenges_dimensions_and_scale(task) -> None:  # type: ignore[no-untyped-def]
    rubric = load_rubric(task.id)
    assert rubric.dimensions == task.dimension_ids()
    assert rubric.scale == task.scale
    choices = " | ".join(str(mark) for mark in task.scale)
    for dimension in rubric.dimensions:
        assert f'"{dimension}": {choices}' in rubric.template
        assert f"\n{dimension}" in rubric.template


@pytest.mark.parametrize("task", RANKED, ids=lambda task: task.id)
@pytest.mark.parametrize(
    "text", ["{}", "%s", "{conversation_history}", "{{7*7}}", "{{mark}}", "{{dialogue}}", "\\1 \\g<0>"]
)
def test_braces_in_a_reply_stay_literal(task, text: str) -> None:  # type: ignore[no-untyped-def]
    rubric = load_rubric(task.id)
    values = dict.fromkeys(rubric.placeholders, "plain")
    filled = render_rubric(rubric, values | {"reply": text, "mark": "NONCE"})
    assert f"NONCE\n{text}\nNONCE" in filled
    assert filled == render_rubric(rubric, values | {"reply": "@@", "mark": "NONCE"}).replace("@@", text)


def test_a_value_too_few_or_too_many_is_refused() -> None:
    rubric = load_rubric("task3")
    with pytest.raises(UsageError) as caught:
        render_rubric(rubric, {"reply": "x"})
    assert caught.value.code == "E_PROMPT"
    with pytest.raises(UsageError):
        render_rubric(rubric, {**dict.fromkeys(rubric.placeholders, ""), "other": ""})


def own(folder: Path, task: str, meta: str, template: str) -> Path:
    (folder / task).mkdir(parents=True)
    (folder / task / "meta.toml").write_text(meta, "utf-8")
    (folder / task / "v7.md").write_text(template, "utf-8")
    return folder


META = """version = 7
dimensions = ["Information_Integration", "Insight_RootCause", "Clarity_Logic"]
scale = [1, 3, 5]
placeholders = ["dialogue", "mark", "reply"]
"""


def test_a_prompt_whose_parts_disagree_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path, "t", 'version = 7\ndimensions = []\nscale = []\nplaceholders = ["a"]\n', "{{a}} {{b}}")
    monkeypatch.setenv("HUMDIAL_PROMPTS", str(tmp_path))
    with pytest.raises(UsageError, match=r"meta\.toml lists") as caught:
        load_rubric("t")
    assert caught.value.code == "E_PROMPT"
    with pytest.raises(UsageError, match="cannot be read"):
        load_rubric("u")


def test_the_organisers_own_prompt_stands_for_ours_and_has_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = prompt_digests()
    theirs = own(tmp_path, "task3", META, "请评分：{{dialogue}}\n{{mark}}\n{{reply}}\n{{mark}}\n只输出 JSON。")
    monkeypatch.setenv("HUMDIAL_PROMPTS", str(theirs))
    check_prompts(load_challenge())
    found = prompt_digests()
    assert load_rubric("task3").template.startswith("请评分")
    assert found.keys() - ours.keys() == {"task3/v7.md"}
    assert "task3/v1.md" not in found
    assert found["task2/v1.md"] == ours["task2/v1.md"]
    baked = {name: entry.source for name, entry in application_layer("/app").entries.items() if "/prompts/" in name}
    assert {name.removeprefix("app/prompts/") for name in baked} == set(found)
    assert baked["app/prompts/task3/v7.md"] == theirs / "task3" / "v7.md"


def test_own_prompts_that_do_not_fit_the_challenge_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_PROMPTS", str(tmp_path))
    with pytest.raises(UsageError, match="holds no prompts"):
        check_prompts(load_challenge())
    own(tmp_path, "task3", META.replace("[1, 3, 5]", "[1, 2, 3]"), "{{dialogue}}{{mark}}{{reply}}")
    with pytest.raises(UsageError, match="not what the challenge marks") as caught:
        check_prompts(load_challenge())
    assert caught.value.code == "E_PROMPT"


def test_every_prompt_file_is_in_the_digests() -> None:
    digests = prompt_digests()
    assert {"task2/v1.md", "task2/meta.toml", "contrasts/zh.toml", "contrasts/en.toml"} <= set(digests)
    assert all(value.startswith("sha256:") and len(value) == 71 for value in digests.values())


def test_both_languages_have_the_same_contrast_texts_and_all_emotions() -> None:
    zh, en = contrast_texts("zh"), contrast_texts("en")
    assert zh.keys() == en.keys()
    challenge = load_challenge()
    assert set(zh["emotions"]) == set(en["emotions"]) == {*challenge.emotions, "none"}
    with pytest.raises(UsageError) as caught:
        contrast_texts("xx")
    assert caught.value.code == "E_PROMPT"
