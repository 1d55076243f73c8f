"""Emotion recognition, an unranked task: predicted against true labels, exact until the report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from harness.challenge.spec import LABEL_FIELDS, Challenge
from harness.documents.reference import ReferenceDialogue
from harness.documents.report import Evidence
from harness.documents.submission import Submission

Pair = tuple[str, str]  # the true label, the predicted one ("" where there is none)


def recognition(
    references: Sequence[ReferenceDialogue], submission: Submission, challenge: Challenge
) -> tuple[Evidence, ...]:
    """Accuracy, macro-F1 and unweighted average recall of each label field, by task and language, over all turns of
    the references that have a true label; a prediction that is missing is wrong. Nothing for a team that does not
    take part in the task."""
    taking_part = {(dialogue.task, dialogue.language) for dialogue in submission.dialogues}
    predicted = {
        (dialogue.task, dialogue.language, dialogue.dialogue_id, turn.turn_id, field): label
        for dialogue in submission.dialogues
        for turn in dialogue.turns
        for field, label in turn.labels
    }
    found: list[Evidence] = []
    for task in challenge.tasks.values():
        for language in challenge.languages:
            if task.reply != "labels" or (task.id, language) not in taking_part:
                continue
            for field in LABEL_FIELDS:
                pairs = [
                    (
                        _label(true),
                        _label(predicted.get((task.id, language, each.dialogue_id, turn.turn_id, field), "")),
                    )
                    for each in references
                    if (each.task, each.language) == (task.id, language)
                    for turn in each.turns
                    for name, true in turn.labels
                    if name == field
                ]
                found += _evidence(task.id, language, field, pairs)
    return tuple(found)


def _label(raw: str) -> str:
    return raw.strip().lower()


def _evidence(task: str, language: str, field: str, pairs: Sequence[Pair]) -> Iterator[Evidence]:
    if pairs:
        for name, value in label_scores(pairs).items():
            yield Evidence(task, language, f"{field}.{name}", round(float(value), 4), len(pairs))


def label_scores(pairs: Sequence[Pair]) -> dict[str, Fraction]:
    """``accuracy``, ``macro_f1`` (mean F1 over the labels that are true or predicted somewhere; no prediction is no
    label) and ``uar`` (mean recall over the labels that are true somewhere). ``pairs`` must not be empty."""
    true = Counter(label for label, _ in pairs)
    said = Counter(label for _, label in pairs)
    hits = Counter(label for label, predicted in pairs if label == predicted)
    labels = sorted((true.keys() | said.keys()) - {""})
    f1 = [Fraction(2 * hits[label], true[label] + said[label]) for label in labels]
    recall = [Fraction(hits[label], count) for label, count in true.items()]
    return {
        "accuracy": Fraction(sum(hits.values()), len(pairs)),
        "macro_f1": sum(f1, Fraction(0)) / len(f1),
        "uar": sum(recall, Fraction(0)) / len(recall),
    }
