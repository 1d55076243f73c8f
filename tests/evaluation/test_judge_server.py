"""The judges `openai` and `replay`: a real HTTP server, good and bad, and stored verdicts, good and incomplete."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from shown import execute, shown

from harness.challenge.load import load_challenge
from harness.documents.verdict import ContextTurn, JudgeRequest, Verdict
from harness.errors import MachineError, UsageError
from harness.evaluation.judge_server import Server, ask_server, check_server, server_profile
from harness.judge import JudgeItem, judge_request

CHALLENGE = load_challenge()
Body = dict[str, Any]
Answer = Callable[[Body, int], tuple[int, bytes]]  # of a request and its number among those of one seed
Humdial = Callable[..., subprocess.CompletedProcess[str]]


def marks(body: Body, value: Any = 5) -> bytes:
    """A chat completion; with 5, the highest mark of every scale, one that obeys the request's own JSON Schema."""
    schema = body["response_format"]["json_schema"]["schema"]["properties"]
    scores = dict.fromkeys(schema["scores"]["properties"], value)
    return completion(json.dumps({"scores": scores, "reasons": dict.fromkeys(scores, "It fits.")}))


def completion(text: Any, end: str = "stop") -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": end}]}).encode()


@contextmanager
def serving(answer: Answer, seen: list[tuple[Body, dict[str, str]]] | None = None) -> Iterator[str]:
    """The root URL of a server that answers so."""
    tries: dict[int, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            tries[body["seed"]] = tries.get(body["seed"], 0) + 1
            if seen is not None:
                seen.append((body, {**dict(self.headers), "path": self.path}))
            status, data = answer(body, tries[body["seed"]])
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def requests(count: int = 2) -> list[JudgeRequest]:
    made = []
    for number in range(count):
        context = (ContextTurn(1, "I lost my keys.", "sad", f"Oh no, {number}."),)
        item = JudgeItem("task2", "en", context, CHALLENGE.tasks["task2"].dimension_ids())
        made.append(judge_request(item, CHALLENGE, "sha256:" + "0" * 64))
    return made


def ask(url: str, some: Sequence[JudgeRequest], **settings: Any) -> list[Verdict]:
    server = replace(Server(url, "tiny", pause_s=0.01), **settings)
    found = ask_server(some, server, server_profile("tiny", CHALLENGE), CHALLENGE)
    return [found[request.item, request.sample] for request in some]


def test_the_request_holds_schema_seed_and_key_and_the_answer_becomes_a_verdict() -> None:
    seen: list[tuple[Body, dict[str, str]]] = []
    with serving(lambda body, _: (200, marks(body)), seen) as url:
        verdicts = ask(url + "/", requests(3), key="s3cret")
    assert [set(verdict.scores or {}) for verdict in verdicts] == [set(requests()[0].dimensions)] * 3
    assert {verdict.state for verdict in verdicts} == {"scored"}
    body, headers = seen[0]
    assert (headers["path"], headers["Authorization"]) == ("/v1/chat/completions", "Bearer s3cret")
    assert body["temperature"] == 0 and {each["seed"] for each, _ in seen} == {r.seed for r in requests(3)}
    assert [message["role"] for message in body["messages"]] == ["user"]


GARBAGE: dict[str, Callable[[Body], tuple[int, bytes]]] = {
    "no JSON": lambda body: (200, b"<html>"),
    "another document": lambda body: (200, b"[1]"),
    "no choice": lambda body: (200, b'{"choices": []}'),
    "no text": lambda body: (200, completion(None)),
    "a fence": lambda body: (200, completion("```json\n{}\n```")),
    "wrong keys": lambda body: (200, completion('{"scores": {"Warmth": 5}, "reasons": {"Warmth": "x"}}')),
    "no mark of the scale": lambda body: (200, marks(body, 9)),
    "a float": lambda body: (200, marks(body, 5.0)),
    "cut": lambda body: (200, marks(body).replace(b'"stop"', b'"length"')),
    "a flood": lambda body: (200, b" " * (2 << 20)),
    "error 500": lambda body: (500, b"oops"),
    "too many requests": lambda body: (429, b""),
    "elsewhere": lambda body: (302, b""),
    "wrong key": lambda body: (401, b"{}"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_no_verdict_fails_its_item_alone(name: str) -> None:
    bad, good = requests()
    with serving(lambda body, _: GARBAGE[name](body) if body["seed"] == bad.seed else (200, marks(body))) as url:
        failed, scored = ask(url, [bad, good])
    tried_once = name in ("elsewhere", "wrong key")
    assert (failed.state, failed.scores, failed.attempts) == ("failed", None, 1 if tried_once else 3)
    assert failed.reasons["failed"].split(":")[0] in ("E_VERDICT", "E_JUDGE_SERVER")
    assert (scored.state, scored.attempts) == ("scored", 1)


def test_a_server_that_recovers_costs_an_attempt() -> None:
    with serving(lambda body, number: (200, marks(body)) if number > 1 else (503, b"")) as url:
        (verdict,) = ask(url, requests(1))
    assert (verdict.state, verdict.attempts) == ("scored", 2)


def test_a_server_that_hangs_is_left_when_its_time_is_over() -> None:
    slow, good = requests()
    release = threading.Event()

    def answer(body: Body, _: int) -> tuple[int, bytes]:
        if body["seed"] == slow.seed:
            release.wait(60)
        return 200, marks(body)

    with serving(answer) as url:
        failed, scored = ask(url, [slow, good], call_s=1.0)
        release.set()
    assert failed.reasons["failed"].startswith("E_JUDGE_SERVER") and "took longer" in failed.reasons["failed"]
    assert scored.state == "scored"


def test_a_server_that_is_down_ends_the_run_and_is_not_asked_for_every_item() -> None:
    asked: list[float] = []

    def answer(body: Body, _: int) -> tuple[int, bytes]:
        asked.append(time.monotonic())
        return 500, b""

    with serving(answer) as url, pytest.raises(MachineError, match="status 500") as caught:
        ask(url, requests(60))
    assert caught.value.code == "I_JUDGE" and len(asked) < 60
    with pytest.raises(MachineError, match="cannot be asked"):
        ask(url, requests(2))


@pytest.mark.parametrize("url", ["", "localhost:8000", "file:///etc/passwd", "http://me:pw@host/v1", "http://h:x/v1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_server(Server(url, "tiny"))
    assert caught.value.code == "E_CONFIG"


@pytest.fixture(scope="module")
def reader(paper: Path, dev: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder and the environment of one who reads the page about judges."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(paper, folder / "my-submission")
    shutil.copytree(dev, folder / "dev")
    return folder, {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def served(reader: tuple[Path, dict[str, str]]) -> Path:
    """What `humdial score` wrote with a server, by the command that the page shows."""
    folder, environment = reader
    with serving(lambda body, _: (200, marks(body))) as url:
        block = shown("explanation/judge.md", "humdial score my-submission --references dev --out served")
        execute(block, folder, {**environment, "JUDGE_URL": url})
    return folder / "served"


def test_a_server_is_never_official_and_is_not_asked_about_sound(served: Path) -> None:
    judge = json.loads((served / "report.json").read_text())["judge"]
    assert judge["official"] is False and judge["profile"] == "openai"
    assert set(judge["not_judged"]) >= {"task4.vocal_empathy_congruence"}
    assert "HUMDIAL_JUDGE_KEY" not in (served / "fingerprint.json").read_text()


def replay(humdial: Humdial, paper: Path, dev: Path, out: Path, verdicts: Path) -> subprocess.CompletedProcess[str]:
    stored = ("--judge", "replay", "--verdicts", verdicts)
    return humdial("score", paper, "--references", dev, "--out", out, "--team", "alpha", *stored)


def the_same(again: Path, served: Path) -> None:
    for name in ("verdicts.jsonl", "items.jsonl", "fingerprint.json", "report.json"):
        assert (again / name).read_bytes() == (served / name).read_bytes(), name


def test_the_page_on_judges_replays(served: Path, reader: tuple[Path, dict[str, str]]) -> None:
    block = shown("explanation/judge.md", "humdial score my-submission --references dev --out again")
    execute(block, *reader)
    the_same(reader[0] / "again", served)


def test_a_file_of_verdicts_does_too(served: Path, paper: Path, dev: Path, humdial: Humdial, tmp_path: Path) -> None:
    result = replay(humdial, paper, dev, tmp_path / "again", served / "verdicts.jsonl")
    assert result.returncode == 0, result.stderr
    the_same(tmp_path / "again", served)


def test_an_item_without_a_stored_verdict_is_named_and_never_scored(
    served: Path, paper: Path, dev: Path, humdial: Humdial, tmp_path: Path
) -> None:
    stored = shutil.copytree(served, tmp_path / "stored")
    first, *others = (stored / "verdicts.jsonl").read_text().splitlines(keepends=True)
    (stored / "verdicts.jsonl").write_text("".join(others))
    result = replay(humdial, paper, dev, tmp_path / "again", stored)
    assert result.returncode == 3
    again = [json.loads(line) for line in (tmp_path / "again" / "verdicts.jsonl").read_text().splitlines()]
    (failed,) = [verdict for verdict in again if verdict["state"] == "failed"]
    assert failed["item"] == json.loads(first)["item"]
    assert failed["reasons"]["failed"].startswith("E_NO_VERDICT")
    items = (tmp_path / "again" / "items.jsonl").read_text().splitlines()
    assert "judge_failed" in {json.loads(item)["state"] for item in items}


def test_verdicts_without_their_judge_are_refused(
    served: Path, paper: Path, dev: Path, humdial: Humdial, tmp_path: Path
) -> None:
    (tmp_path / "verdicts.jsonl").write_bytes((served / "verdicts.jsonl").read_bytes())
    result = replay(humdial, paper, dev, tmp_path / "again", tmp_path)
    assert result.returncode == 2 and "E_REPLAY" in result.stderr
    result = humdial("score", paper, "--references", dev, "--out", tmp_path / "again", "--judge", "replay")
    assert result.returncode == 2 and "E_CONFIG" in result.stderr
