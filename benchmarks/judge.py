"""How fast the judge is against asking one prompt at a time, and what it costs beside its engine.

Everything is measured inside the judge container, in CPU seconds of one thread, so that other work on the machine
moves the ratios little. The official engine runs on its checkpoint with random weights: times are real, marks are not.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.documents.verdict import JudgeRequest
    from harness.judge.engines.qwen3_omni import Qwen3OmniEngine

ROWS = 16
NEAR = 1e-4  # a mark is a near-tie when the two likeliest allowed marks are closer than this, in probability
cpu = time.process_time

# --- on the host


def main(items: int, slow: int) -> None:
    from harness.challenge.spec import JudgeProfile

    settings: dict[str, Any] = {
        "dtype": "float32",
        "rows": ROWS,
        "context_tokens": 8192,
        "reasons": True,
        "decoding": {"strict": {"method": "skeleton", "max_tokens": 1024}},
    }
    whole = JudgeProfile("tiny-whole", False, "transformers", "random weights", (), settings)
    asked(whole, 4 * ROWS, f"ratios {slow}")
    asked(None, items, "overhead")


def asked(profile: Any, items: int, what: str) -> None:
    """Run this file in the judge container over ``items`` requests and show what it prints."""
    from harness.challenge.load import load_challenge
    from harness.documents.codec import jsonl, to_plain
    from harness.evaluation.judge_container import judge_run
    from harness.evaluation.judge_image import ensure_judge
    from harness.judge import prompt_digests
    from harness.judge.requests import settings_document
    from harness.sandbox import connect

    challenge = load_challenge()
    profile = profile or challenge.judges["small"]
    challenge = replace(challenge, judges={**challenge.judges, profile.id: profile})
    judge = ensure_judge(challenge, profile, progress=lambda text: print(f"judge: {text}"))
    with tempfile.TemporaryDirectory(prefix="humdial-benchmark-") as scratch:
        work = Path(scratch)
        folder = work / "requests"
        folder.mkdir()
        before = cpu()
        made = list(requests(items, judge.fingerprint))
        (folder / "requests.jsonl").write_bytes(jsonl([to_plain(request) for request in made]))
        (folder / "settings.json").write_text(json.dumps(settings_document(challenge, profile, prompt_digests())))
        built = cpu() - before
        folders = {"/requests": folder, "/weights": judge.weights, "/bench": Path(__file__).resolve().parent}
        program = ("/usr/bin/python3", "/bench/judge.py", "--inside", what, "--built", f"{built:.3f}")
        limits = challenge.run_limits
        with judge_run(
            connect(), judge.image_id, folders, work, limits, output_bytes=64 << 20, deadline_s=limits.wall_s,
            program=program,
        ) as run:  # fmt: skip
            print(run.said(), flush=True)
            if run.outcome.exit_code != 0:
                raise SystemExit(str(run.outcome))


def requests(count: int, fingerprint: str) -> Iterator[JudgeRequest]:
    """Requests about the situations of calibration/, each reply once more with a number behind it when they run out."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "calibration"))
    from pairs import cases

    from harness.challenge.load import load_challenge
    from harness.documents.verdict import ContextTurn
    from harness.judge import JudgeItem, judge_request

    challenge = load_challenge()
    told = [case for split in ("heldout", "calibration") for case in cases(split)]
    told = sorted(told, key=lambda case: (case.task != "task2", case.language != "en"))
    for place in range(count):
        case = told[place % len(told)]
        again = f" {place // len(told)}" if place >= len(told) else ""
        turns = [ContextTurn(number, text, label, "…") for number, (label, text) in enumerate(case.turns, 1)]
        turns[-1] = replace(turns[-1], reply=case.reply + again)
        names = challenge.tasks[case.task].dimension_ids("text")
        yield judge_request(JudgeItem(case.task, case.language, tuple(turns), names), challenge, fingerprint)


# --- in the container


def inside(what: str, built: float) -> None:
    folder, weights = Path("/requests"), Path("/weights")
    if what == "overhead":
        show_overhead(folder, weights, built)
        return
    from harness.judge.engines import load_engine
    from harness.judge.worker import read_requests

    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    engine = load_engine(settings, weights, folder)
    asked = [request for _, request in read_requests(folder / "requests.jsonl")]
    show_ratios(engine, asked, int(what.split()[1]))


def show_ratios(engine: Any, asked: list[JudgeRequest], slow: int) -> None:
    few = asked[:slow]
    before = cpu()
    texts, alone_marks, tokens = one_at_a_time(engine, few)
    alone = (cpu() - before) / len(few)
    print(f"one prompt at a time, generate: {alone:.3f} s an item ({tokens / len(few):.0f} tokens each)")
    shapes = {engine.shape(request) for request in asked}
    batched, verdicts, marks = timed(engine, asked)
    print(f"batches of {engine.rows}, shared prefix: {batched:.3f} s an item, {alone / batched:.1f} x (aim: 5 x)")
    engine._decoding = {"method": "expected"}
    expected, _, _ = timed(engine, asked)
    print(f"expected marks: {expected:.4f} s an item, {alone / expected:.1f} x (aim: 15 x)")
    engine._decoding = {"method": "skeleton", "max_tokens": 1024}
    print(f"({len(asked)} items of {len(shapes)} shapes; {len(few)} of them one at a time)")
    differ(f"one at a time against batches of {ROWS}", alone_marks, marks)
    same = sum(json.loads(verdict.raw)[0] == text for verdict, text in zip(verdicts, texts, strict=False))
    print(f"  reasons too, letter for letter: {same} of {len(few)}")
    engine._thinker.rows = 1
    engine._thinker._prefix = None
    _, single, single_marks = timed(engine, asked[: 2 * slow])
    differ(f"batches of 1 against {ROWS}", single_marks, marks)
    off = max(
        abs(value - other.evidence[name])
        for one, other in zip(single, verdicts, strict=False)
        for name, value in one.evidence.items()
    )
    print(f"  largest difference of an expected mark: {off:.1e}")


@dataclass(frozen=True)
class Mark:
    """A mark, and by how much its probability is above the next one's."""

    value: Any
    margin: float


Marks = dict[str, Mark]


def mark_of(question: Any, logs: list[float]) -> Mark:
    from harness.judge.engines.skeleton import best, chances

    first, second, *_ = sorted(chances(logs), reverse=True)
    return Mark(best(question, logs), first - second)


def timed(engine: Any, asked: list[JudgeRequest]) -> tuple[float, list[Any], list[Marks]]:
    """CPU seconds an item, the judgements, and the marks with their margins; batches as the worker makes them."""
    before = cpu()
    found: dict[int, Any] = {}
    marks: dict[int, Marks] = {}
    shapes: dict[str, list[int]] = {}
    for place, request in enumerate(asked):
        shapes.setdefault(engine.shape(request), []).append(place)
    for places in shapes.values():
        for start in range(0, len(places), engine.rows):
            batch = places[start : start + engine.rows]
            with looked_at() as seen:
                found.update(zip(batch, engine.judge([asked[place] for place in batch]), strict=True))
            for name, chosen in seen.items():  # one for each row, in the batch's order
                for place, mark in zip(batch, chosen, strict=True):
                    marks.setdefault(place, {})[name] = mark
    each = (cpu() - before) / len(asked)
    return each, [found[place] for place in range(len(asked))], [marks[place] for place in range(len(asked))]


@contextmanager
def looked_at() -> Iterator[dict[str, list[Mark]]]:
    """Every choice of a mark that the engine makes meanwhile, by dimension."""
    from harness.judge.engines import qwen3_omni

    seen: dict[str, list[Mark]] = {}
    choose = qwen3_omni.best

    def best(question: Any, logs: Any) -> Any:
        seen.setdefault(question.name, []).append(mark_of(question, logs))
        return choose(question, logs)

    qwen3_omni.best = best
    yield seen
    qwen3_omni.best = choose


def differ(what: str, ours: list[Marks], others: list[Marks]) -> None:
    """Count the marks that differ. A dimension's mark stands on those before it, so of each item only the first that
    differs is a near-tie or is none; those behind it are told apart."""
    near = other = behind = 0
    pairs = list(zip(ours, others, strict=False))
    for one, two in pairs:
        unequal = [name for name in one if one[name].value != two[name].value]
        if unequal:
            close = min(one[unequal[0]].margin, two[unequal[0]].margin) < NEAR
            near, other, behind = near + close, other + (not close), behind + len(unequal) - 1
    margins = [mark.margin for one, _ in pairs for mark in one.values()]
    print(
        f"{what}: of {len(margins)} marks in {len(pairs)} items differ {near} near-ties (margin below {NEAR:g}), "
        f"{other} others, {behind} that stand on one of these; the smallest margin is {min(margins):.1e}"
    )


def one_at_a_time(engine: Qwen3OmniEngine, asked: list[JudgeRequest]) -> tuple[list[str], list[Marks], int]:
    """What transformers' own generate gives for each prompt alone: the same forced keys, allowed marks and grammar,
    token by token, nothing shared. Returns the answers, their marks and how many tokens they have."""
    import torch
    from transformers import LogitsProcessorList

    from harness.judge.prompt import build_prompt

    texts, marks, tokens = [], [], 0
    for request in asked:
        prompt = build_prompt(request, engine._settings)
        ids = torch.tensor([engine._tokens.prompt(prompt, [], answer=1024).ids])
        rule = Rule(engine, prompt, ids.shape[1])
        with torch.inference_mode():
            made = engine._thinker._whole.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=1024, do_sample=False,
                logits_processor=LogitsProcessorList([rule]), eos_token_id=rule.end, pad_token_id=rule.end,
            )  # fmt: skip
        tokens += made.shape[1] - ids.shape[1] - 1
        texts.append(rule.text)
        marks.append(rule.chosen)
    return texts, marks, tokens


class Rule:
    """A logits processor that allows what the engine's skeleton and grammar allow, for one prompt."""

    def __init__(self, engine: Qwen3OmniEngine, prompt: Any, length: int) -> None:
        import xgrammar

        from harness.judge.engines.skeleton import Skeleton

        self._engine, self._prompt, self._length = engine, prompt, length
        self._slots = list(Skeleton.of(prompt.questions, engine._tokens.encode).slots)
        self._forced = list(self._slots[0].opening)
        self.chosen: Marks = {}
        self._row: Any = None
        self._steps = 0
        self._bits = xgrammar.allocate_token_bitmask(1, engine._thinker.vocabulary)
        self.end = engine._tokens.id_of("<|im_end|>")
        self.text = ""

    def __call__(self, ids: Any, scores: Any) -> Any:
        if self._forced:
            return only(scores, [self._forced.pop(0)])
        if self._row is None:
            return self._mark(scores)
        return self._reason(scores)

    def _mark(self, scores: Any) -> Any:
        """Choose a mark, then go on with the words that follow it."""
        from harness.judge.engines.free_text import ReasonRow
        from harness.judge.engines.skeleton import scores_text

        slot = self._slots.pop(0)
        mark = mark_of(slot.question, [float(scores[0, tokens[0]]) for tokens in slot.values])
        token = slot.values[slot.question.values.index(mark.value)][0]
        self.chosen[slot.question.name] = mark
        if self._slots:
            self._forced = list(self._slots[0].lead)
        else:
            matcher = self._engine._reasons.matcher(self._prompt)
            self._row = ReasonRow(
                matcher,
                self._engine._tokens,
                scores_text([(name, each.value) for name, each in self.chosen.items()]),
                [],
            )
            self._forced = self._row.lead()
        return only(scores, [token])

    def _reason(self, scores: Any) -> Any:
        import xgrammar

        from harness.judge.engines.free_text import REASON_TOKENS

        self._row.close_when(self._steps >= REASON_TOKENS)
        if not self._row.ended:
            self._row.allow(self._bits, 0)
            logits = scores.clone()
            xgrammar.apply_token_bitmask_inplace(logits, self._bits)
            token = int(logits.argmax())
            self._steps += 1
            read = self._row.take(token)
            if read:
                return only(scores, read)
        self.text = self._row.text
        self._forced = [*self._row.unread, *([self.end] if self._row.over else [])]
        if not self._row.over:
            self._row.lead()
            self._steps = 0
        return only(scores, [self._forced.pop(0)])


def only(scores: Any, tokens: list[int]) -> Any:
    import torch

    found = torch.full_like(scores, float("-inf"))
    found[:, tokens] = 0
    return found


def show_overhead(folder: Path, weights: Path, built: float) -> None:
    """What the worker's whole run costs beside its engine's own work, and its memory as it goes."""
    from harness.judge import engines, worker

    load = engines.load_engine
    items = (folder / "requests.jsonl").read_bytes().count(b"\n")
    calls: list[float] = []
    peaks: dict[int, float] = {}
    ready = 0.0

    def loaded(*arguments: Any) -> Any:
        nonlocal ready
        engine = load(*arguments)
        judge = engine.judge

        def measured(batch: Any) -> Any:
            start = cpu()
            found = judge(batch)
            calls.append(cpu() - start)
            if len(calls) in (items // 10, items):
                peaks[len(calls)] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            return found

        engine.judge = measured  # type: ignore[method-assign]
        ready = cpu()
        return engine

    worker.load_engine = loaded
    code = worker.main(folder, weights, Path("/output"))
    verdicts = (Path("/output") / worker.VERDICTS).read_text("utf-8").splitlines()
    assert code == 0 and all(json.loads(line)["state"] == "scored" for line in verdicts)
    own, beside = sum(calls), cpu() - ready - sum(calls)
    print(
        f"small judge, {items} items: engine {own:.1f} s, start-up {ready:.1f} s, building the requests {built:.2f} s, "
        f"digests, reading and writing {beside:.1f} s: {100 * (ready + built + beside) / own:.1f} % beside the engine "
        "(aim: below 5 %)"
    )
    print("memory at its highest: " + ", ".join(f"{peak:.0f} MB after {place} items" for place, peak in peaks.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=300, help="requests of the run with the small judge")
    parser.add_argument("--slow", type=int, default=8, help="prompts that are asked one at a time")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--built", type=float, default=0.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        inside(chosen.inside, chosen.built)
    else:
        main(chosen.items, chosen.slow)
