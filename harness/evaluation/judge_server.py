"""`--judge openai`: an OpenAI-compatible server that the user already runs (vLLM, Ollama), asked from the host.

For a team's own pre-check; never official, because nothing here can know what answers behind an address. It gets text
alone: dimensions of sound are not judged. The answer is held to the verdict's JSON Schema where the server can do
that, and is read as strictly as any other judge's in each case.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.challenge.spec import Challenge, JudgeProfile
from harness.documents.verdict import JudgeRequest, Verdict
from harness.errors import HarnessError, MachineError, UsageError
from harness.evaluation.verdict_store import place_of
from harness.judge import prompt_digests
from harness.judge.answer import read_answer, verdict_schema
from harness.judge.prompt import Prompt, build_prompt
from harness.judge.requests import settings_document
from harness.judge.verdicts import Place, failed

ENGINE = "openai"
KEY_VARIABLE = "HUMDIAL_JUDGE_KEY"
MAX_TOKENS = 1024
_ANSWER_BYTES = 1 << 20
_AT_ONCE = 4  # requests under way; each answer depends on its own request alone
_GIVE_UP = 5  # so many items without any answer, one after the other, and the rest is not tried
_RETRIED = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask. ``url`` is the API's root, such as http://127.0.0.1:8000/v1; ``key`` is sent and never written
    down; ``call_s`` bounds one whole answer, ``pause_s`` is the first wait before asking again."""

    url: str
    model: str
    key: str = ""
    call_s: float = 120.0
    pause_s: float = 0.5


def check_server(server: Server) -> None:
    """Raises UsageError (E_CONFIG) for a URL that is none or that holds a password, and for a missing model."""
    try:
        parts = urlsplit(server.url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        plain = "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        good = plain = False
    if not (good and plain and server.model and all(" " < char <= "~" for char in server.key)):
        raise UsageError(
            "the judge openai needs the URL of a server and the name of a model",
            code="E_CONFIG",
            hint=f"--judge-url http://127.0.0.1:8000/v1 --judge-model NAME; a key goes into {KEY_VARIABLE}",
        )


def server_profile(model: str, challenge: Challenge) -> JudgeProfile:
    """The judge that a server is: never official, deaf, and without known answers."""
    deaf = tuple(f"{task.id}.{name}" for task in challenge.tasks.values() for name in task.dimension_ids("audio"))
    settings = {"reasons": True, "temperature": 0, "max_tokens": MAX_TOKENS}
    return JudgeProfile(ENGINE, False, ENGINE, model, deaf, settings)


def server_inputs(profile: JudgeProfile, server: Server) -> dict[str, Any]:
    """What the fingerprint is the digest of. Two servers of one name may differ, so the address is in it."""
    return {
        "profile": profile.id,
        "engine": profile.engine,
        "model": profile.model,
        "settings": profile.settings,
        "server": server.url.rstrip("/"),
        "prompts": prompt_digests(),
    }


def chat_request(request: JudgeRequest, prompt: Prompt, profile: JudgeProfile) -> dict[str, Any]:
    """The body of one POST to /chat/completions."""
    schema = {"name": "verdict", "strict": True, "schema": verdict_schema(prompt)}
    return {
        "model": profile.model,
        "messages": [{"role": "user", "content": prompt.text()}],
        "temperature": profile.settings["temperature"],
        "max_tokens": profile.settings["max_tokens"],
        "seed": request.seed,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def ask_server(
    requests: Sequence[JudgeRequest], server: Server, profile: JudgeProfile, challenge: Challenge
) -> dict[Place, Verdict]:
    """A verdict for every request; what could not be had is a failed one (E_JUDGE_SERVER, E_VERDICT).

    Raises MachineError (I_JUDGE) when there is not one verdict.
    """
    asking = _Asking(server, profile, settings_document(challenge, profile, prompt_digests()), challenge.judge_attempts)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = {(verdict.item, verdict.sample): verdict for verdict in pool.map(asking.verdict, requests)}
    if found and all(verdict.state == "failed" for verdict in found.values()):
        first = next(iter(found.values())).reasons["failed"]
        raise MachineError(
            f"the judge server gave no verdict: {first}",
            code="I_JUDGE",
            hint=f"check --judge-url, --judge-model, {KEY_VARIABLE}, and that it knows response_format json_schema",
        )
    return found


class _Asking:
    """One server, asked by several threads; it is left alone when it stops answering."""

    def __init__(self, server: Server, profile: JudgeProfile, settings: dict[str, Any], attempts: int) -> None:
        self._server, self._profile, self._settings, self._attempts = server, profile, settings, attempts
        self._silent, self._lock = 0, threading.Lock()

    def verdict(self, request: JudgeRequest) -> Verdict:
        place = place_of(request)
        try:
            prompt = build_prompt(request, self._settings)
        except HarnessError as error:
            return failed(place, f"{error.code}: {error}"[:500])
        body = json.dumps(chat_request(request, prompt, self._profile)).encode()
        why, attempt = "E_JUDGE_SERVER: it has stopped answering", 1
        for attempt in range(1, self._attempts + 1):
            if self._silent >= _GIVE_UP:
                break
            if attempt > 1:
                time.sleep(self._server.pause_s * 2 ** (attempt - 2))
            try:
                text = answer_text(post(self._server, body))
                self._heard(silent=False)
                scores, reasons = read_answer(text, prompt)
            except _Refusal as error:
                why = f"{error.code}: {error}"
                if not error.again:
                    break
            except HarnessError as error:
                why = f"{error.code}: {error}"
            else:
                raw = hashlib.sha256(text.encode()).hexdigest()
                return Verdict(request.item, request.sample, scores, reasons, raw, attempt, "scored")
        if why.startswith("E_JUDGE_SERVER"):
            self._heard(silent=True)
        return failed(place, why[:500], attempts=attempt)

    def _heard(self, *, silent: bool) -> None:
        with self._lock:
            self._silent = self._silent + 1 if silent else 0


class _Refusal(MachineError):
    """The server gave no answer; ``again`` says whether asking again may help."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        hint = "check that the server runs and what it logs"
        super().__init__(f"the judge server {why}", code="E_JUDGE_SERVER", hint=hint)
        self.again = again


class _Stay(urllib.request.HTTPRedirectHandler):
    """No redirects: they would carry the key and the dialogues elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


# No proxy either: the address that the user gave is the one that is asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def post(server: Server, body: bytes, clock: Callable[[], float] = time.monotonic) -> bytes:
    """The answer's bytes, whole, within ``call_s``. Raises MachineError (E_JUDGE_SERVER)."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers |= {"Authorization": f"Bearer {server.key}"} if server.key else {}
    url = server.url.rstrip("/") + "/chat/completions"
    end, data = clock() + server.call_s, b""
    try:
        with _OPENER.open(urllib.request.Request(url, body, headers), timeout=server.call_s) as answer:
            # Piece by piece: the socket's time-out bounds one wait, not a server that sends a byte now and then.
            while piece := answer.read1(1 << 16):
                data += piece
                if len(data) > _ANSWER_BYTES:
                    raise _Refusal("sent more than a verdict can be")
                if clock() > end:
                    raise _Refusal(f"took longer than {server.call_s:g} s")
    except urllib.error.HTTPError as error:
        error.close()
        again = error.code >= 500 or error.code in _RETRIED
        raise _Refusal(f"answered with status {error.code}", again=again) from error
    except TimeoutError as error:
        raise _Refusal(f"took longer than {server.call_s:g} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = isinstance(getattr(error, "reason", None), TimeoutError)
        raise _Refusal(f"took longer than {server.call_s:g} s" if late else f"cannot be asked ({error})") from error
    return data


def answer_text(data: bytes) -> str:
    """What the model wrote, out of a chat completion. Raises MachineError (E_VERDICT) for anything else, and for an
    answer that was cut."""
    try:
        (choice,) = json.loads(data)["choices"]
        text, end = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_answer("it is no chat completion") from error
    if not isinstance(text, str):
        raise _no_answer("it holds no text")
    if end == "length":
        raise _no_answer("it was cut at the token limit")
    return text


def _no_answer(what: str) -> MachineError:
    return MachineError(f"the judge's answer cannot be used: {what}", code="E_VERDICT", hint="judge again")
