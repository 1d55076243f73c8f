"""A run that is recomputed, scored again and signed; and what happens when somebody changes it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from bench import Bench
from command import here as humdial

from harness.errors import MachineError
from harness.evaluation.journal import Journal, scan
from harness.evaluation.run_directory import held
from harness.evaluation.run_io import RunIO
from harness.resources import schema_path

TABLES = ("leaderboard.json", "leaderboard.md", "leaderboard.csv")


@pytest.fixture(autouse=True)
def nothing_but_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No engine, no judge, no stored verdicts elsewhere."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("HUMDIAL_CACHE", str(tmp_path / "empty"))


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """The finished run under another path."""
    return Path(shutil.copytree(run, tmp_path / "moved"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """organiser.pem and .pub, locked.pem (with a passphrase), other.pub."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    folder = tmp_path_factory.mktemp("keys")
    for name in ("organiser", "other"):
        key = Ed25519PrivateKey.generate()
        ways = {".pem": form.NoEncryption(), ".locked.pem": form.BestAvailableEncryption(b"open sesame")}
        for ending, way in ways.items():
            raw = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, way)
            (folder / f"{name}{ending}").write_bytes(raw)
        public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pub").write_bytes(public)
    return folder


def report(*arguments: object) -> dict[str, Any]:
    code, said = humdial("verify", *arguments, "-f", "json")
    plain: dict[str, Any] = json.loads(said)
    schema = json.loads(schema_path("verification-report").read_text("utf-8"))
    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(plain)] == []
    assert code == (0 if plain["verified"] else 1)
    return plain


def _tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    plain = json.loads(path.read_bytes())
    change(plain)
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _swap(path: Path, old: bytes, new: bytes) -> None:
    raw = path.read_bytes()
    assert old in raw, raw
    path.write_bytes(raw.replace(old, new, 1))


def _without_last_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _add(path: Path, tail: bytes) -> None:
    path.write_bytes(path.read_bytes() + tail)


def _replace_blob(run: Path, old: str, new: bytes) -> str:
    """Put ``new`` in place of a blob, as somebody would who knows the layout."""
    sha256 = hashlib.sha256(new).hexdigest()
    (run / "blobs" / sha256[:2]).mkdir(exist_ok=True)
    (run / "blobs" / sha256[:2] / sha256).write_bytes(new)
    (run / "blobs" / old[:2] / old).unlink()
    return sha256


def _rewrite_journal(run: Path, change: Callable[[str, dict[str, Any]], None], *, without: str = "") -> None:
    """The whole chain anew, every checksum right; ``without`` is an event that is left out."""
    records = scan(run / "journal.jsonl").records
    (run / "journal.jsonl").unlink()
    journal = Journal(RunIO(run), run / "journal.jsonl")
    for record in (each for each in records if each.event != without):
        change(record.event, record.data)
        journal.append((record.event, record.data))
    journal.close()
    shutil.rmtree(run / ".tmp", ignore_errors=True)


def test_published_tables_are_those_that_the_journal_names(bench: Bench, copy: Path) -> None:
    """The last record speaks of what is there; a run that an earlier humdial finished has none, and is sound."""

    def withdrawn(event: str, data: dict[str, Any]) -> None:
        if event == "published":
            data.clear()

    _rewrite_journal(copy, withdrawn)
    found = report(copy)
    assert not found["verified"] and "the journal knows another leaderboard" in found["difference"]["what"]
    _rewrite_journal(copy, lambda event, data: None, without="published")
    assert report(copy)["verified"]


def test_nobody_writes_between_the_check_and_the_signature(
    copy: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign(path: Path, *given: Any) -> bytes:
        with pytest.raises(MachineError) as caught, held(path):
            raise AssertionError("somebody else has the run")
        return str(caught.value.code).encode()

    monkeypatch.setattr("harness.evaluation.attestation.sign_run", sign)
    assert humdial("attest", copy, "--key", keys / "organiser.pem")[0] == 0
    assert (copy / "attestation.json").read_bytes() == b"E_LOCKED"


def test_nothing_is_signed_that_was_not_verified(copy: Path, keys: Path) -> None:
    """A run of an earlier humdial names no page and no review: whatever lies there is nobody's word."""
    _rewrite_journal(copy, lambda event, data: None, without="published")
    for name in ("report.html", "review.json"):
        (copy / name).write_text("planted")
    assert humdial("attest", copy, "--key", keys / "organiser.pem")[0] == 0
    statement = json.loads(base64.b64decode(json.loads((copy / "attestation.json").read_bytes())["payload"]))
    named = {subject["name"] for subject in statement["subject"]}
    assert set(TABLES) < named and not named & {"report.html", "review.json"}
    assert report(copy, "--public-key", keys / "organiser.pub")["verified"]


def test_an_untouched_run_verifies_wherever_it_lies(bench: Bench, copy: Path) -> None:
    before = _tree(copy)
    found = report(copy)
    assert found["verified"] and found["finished"] and found["published"] and found["difference"] is None
    assert found["not_stored"] == ["alpha", "beta", "delta", "gamma"]
    assert all(found["checked"][name] > 0 for name in ("blobs", "records", "teams", "verdicts", "items"))
    assert _tree(copy) == before
    (copy / "lock").unlink()  # a copy need not have it
    assert report(copy)["verified"]


def test_hand_ins_that_are_given_are_looked_at(bench: Bench, run: Path, tmp_path: Path) -> None:
    hand_ins = tmp_path / "hand-ins"
    shutil.copytree(bench.folder, hand_ins, ignore=shutil.ignore_patterns("run", "cache", "work", "dev"))
    found = report(run, "--hand-ins", hand_ins / "teams.toml")
    assert found["verified"] and found["checked"]["hand_ins"] == 4 and found["not_stored"] == []
    path = hand_ins / "other" / "en" / "task2.jsonl"
    path.write_text(path.read_text("utf-8").replace("indeed", "truly"), "utf-8")
    found = report(run, "--hand-ins", hand_ins / "teams.toml")
    assert "beta" in found["difference"]["what"]
    only_alpha = (hand_ins / "teams.toml").read_text("utf-8").partition('[[team]]\nname = "beta"')[0]
    (hand_ins / "teams.toml").write_text(only_alpha, "utf-8")
    code, said = humdial("verify", run, "--hand-ins", hand_ins / "teams.toml")
    assert (code, "E_PIN" in said) == (2, True), said


TAMPER: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a final in the table": (
        lambda run: _edit(run / "leaderboard.json", lambda board: board["rows"][0].update(final=4.99)),
        "leaderboard.json#/rows/0/final", "4.99",
    ),
    "a rank in the Markdown": (
        lambda run: _swap(run / "leaderboard.md", b"| 1 | delta", b"| 2 | delta"), "leaderboard.md:", "delta",
    ),
    "no table": (lambda run: (run / "leaderboard.csv").unlink(), "leaderboard.csv", "missing"),
    "a mean in a report": (
        lambda run: _edit(run / "teams/beta/scores/report.json", lambda plain: plain["dimensions"][0].update(mean=4.5)),
        "teams/beta/scores/report.json#/dimensions/0/mean", "4.5",
    ),
    "an item": (
        lambda run: _swap(run / "teams/beta/scores/items.jsonl", b'"score":3', b'"score":5'),
        "teams/beta/scores/items.jsonl:1#/score", "5",
    ),
    "a byte of a blob": (lambda run: _add(min((run / "blobs").glob("*/*")), b" "), "blobs/", "damaged"),
    "a byte of the journal": (
        lambda run: _swap(run / "journal.jsonl", b'"valid":false', b'"valid":true '), "moved", "l is damaged at record"
    ),
    "the end of the journal": (lambda run: _add(run / "journal.jsonl", b'{"seq":'), "journal.jsonl:", "no record"),
    "the official mark of the judge": (
        lambda run: _edit(run / "run.json", lambda pins: pins["judge"].update(official=True)), "run.json", "begins with"
    ),
    "a hand-in struck from the ledger": (
        lambda run: _without_last_line(run / "ledger.jsonl"), "ledger.jsonl", "lacks",
    ),
    "a team from elsewhere": (
        lambda run: shutil.copytree(run / "teams/alpha", run / "teams/omega"), "teams/omega", "does not know",
    ),
    "what a person should look at": (
        lambda run: _edit(run / "review.json", lambda plain: plain["flags"].clear()), "review.json", "the journal",
    ),
    "a page": (lambda run: _swap(run / "report.html", b"<title>", b"<title>!"), "report.html:", "the journal"),
    "scores for a team that has none": (
        lambda run: shutil.copytree(run / "teams/alpha/scores", run / "teams/gamma/scores"),
        "teams/gamma/scores/", "does not know",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPER)
def test_the_first_difference_is_named(copy: Path, name: str) -> None:
    change, where, what = TAMPER[name]
    change(copy)
    found = report(copy)["difference"]
    assert found["where"].startswith(where) and what in json.dumps(found), found


def test_a_better_verdict_in_a_chain_made_anew_is_found_in_the_scores(copy: Path) -> None:
    """Every digest and checksum is right; the marks are not those that the stored scores come from."""

    def change(event: str, data: dict[str, Any]) -> None:
        if event == "judged" and data["team"] == "beta":
            raw = (copy / "blobs" / data["verdicts"][:2] / data["verdicts"]).read_bytes()
            data["verdicts"] = _replace_blob(copy, data["verdicts"], raw.replace(b":3", b":5"))

    _rewrite_journal(copy, change)
    assert "beta" in report(copy)["difference"]["what"]


def test_a_chain_of_nonsense_is_a_difference_and_no_crash(copy: Path) -> None:
    _rewrite_journal(copy, lambda event, data: data.pop("requests", None))
    assert not report(copy)["verified"]


def test_an_unfinished_run_is_said_to_be_one(bench: Bench, copy: Path, tmp_path: Path) -> None:
    code, said = bench.evaluate(tmp_path / "half", HD_FAULT="fsync:30:ENOSPC")
    assert code == 3, said
    found = report(tmp_path / "half")
    assert (found["verified"], found["finished"], found["published"]) == (True, False, False), found
    code, said = humdial("rescore", tmp_path / "half")
    assert (code, "E_RESCORE" in said) == (1, True), said
    for name in TABLES:
        shutil.copy(copy / name, tmp_path / "half")
    assert "may not be published" in report(tmp_path / "half")["difference"]["what"]


def test_a_run_in_use_is_left_alone(copy: Path) -> None:
    with held(copy):
        code, said = humdial("verify", copy)
    assert (code, "E_LOCKED" in said) == (3, True), said
    assert humdial("verify", copy.parent)[0] == 2


def test_a_person_reads_the_place(copy: Path) -> None:
    TAMPER["a final in the table"][0](copy)
    code, said = humdial("verify", copy)
    assert code == 1 and "NOT VERIFIED" in said and "first difference: leaderboard.json#/rows/0/final" in said


def test_rescoring_needs_nothing_but_the_run(copy: Path) -> None:
    before = _tree(copy)
    code, said = humdial("rescore", copy)
    assert code == 0 and "the same as before" in said and "scored otherwise: none" in said, said
    (out,) = copy.glob("rescored-*")
    for name in (*TABLES, *(path for path in before if "/scores/" in path)):
        assert (out / name).read_bytes() == before[name]
    assert {name: data for name, data in _tree(copy).items() if not name.startswith(out.name)} == before
    assert report(copy)["verified"]


def test_another_policy_states_another_fingerprint(copy: Path, tmp_path: Path) -> None:
    code, said = humdial("rescore", copy, "--policy", "published", "--out", tmp_path / "again")
    assert code == 0, said
    record = json.loads((tmp_path / "again" / "rescore.json").read_bytes())
    schema = json.loads(schema_path("rescore-record").read_text("utf-8"))
    assert jsonschema_rs.validator_for(schema).is_valid(record)
    assert record["before"]["fingerprint"] != record["after"]["fingerprint"] and record["after"]["fingerprint"] in said
    assert json.loads((tmp_path / "again" / "leaderboard.json").read_bytes())["policy"] == "published"
    assert json.loads((copy / "leaderboard.json").read_bytes())["policy"] == "strict"
    code, said = humdial("rescore", copy, "--out", tmp_path)
    assert (code, "E_USAGE" in said) == (2, True), said


def _spec(folder: Path, old: str, new: str) -> Path:
    text = (Path(__file__).parents[2] / "harness/challenge/specs/humdial-2026.toml").read_text("utf-8")
    assert old in text
    (folder / "fixed.toml").write_text(text.replace(old, new), "utf-8")
    return folder / "fixed.toml"


def test_a_fixed_spec_moves_scores_and_says_under_what(copy: Path, tmp_path: Path) -> None:
    before = json.loads((copy / "leaderboard.json").read_bytes())
    spec = _spec(tmp_path, "min_pages = 2", "min_pages = 3")
    code, said = humdial("rescore", copy, "--challenge", spec, "--out", tmp_path / "again")
    assert code == 0, said
    board = json.loads((tmp_path / "again" / "leaderboard.json").read_bytes())
    assert board["challenge"]["digest"] != before["challenge"]["digest"]


def test_what_was_never_judged_is_not_made_up(copy: Path, tmp_path: Path) -> None:
    spec = _spec(tmp_path, "scale = [1, 3, 5]", "scale = [1, 2, 3, 4, 5]")
    code, said = humdial("rescore", copy, "--challenge", spec)
    assert (code, "E_NO_VERDICT" in said, "alpha" in said) == (1, True, True), said
    assert not list(copy.glob("rescored-*"))


def test_a_signed_run_is_known_by_the_public_key(copy: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert humdial("attest", copy, "--key", keys / "organiser.pem")[0] == 0
    first = (copy / "attestation.json").read_bytes()
    found = report(copy, "--public-key", keys / "organiser.pub")
    assert found["verified"] and found["attestation"]["subjects"] == 8 + 3 * 3
    envelope = json.loads(first)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    schema = json.loads(schema_path("evaluation-statement").read_text("utf-8"))
    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(statement)] == []
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert not report(copy, "--public-key", keys / "other.pub")["verified"]
    monkeypatch.setenv("HUMDIAL_KEY_PASSPHRASE", "open sesame")
    assert humdial("attest", copy, "--key", keys / "organiser.locked.pem")[0] == 0
    assert (copy / "attestation.json").read_bytes() == first  # the same key and the same run


def test_the_signature_is_of_the_standard_form(copy: Path, keys: Path) -> None:
    """Checked by hand after the DSSE protocol, without the library that made it."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    assert humdial("attest", copy, "--key", keys / "organiser.pem")[0] == 0
    envelope = json.loads((copy / "attestation.json").read_bytes())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    public: Any = load_pem_public_key((keys / "organiser.pub").read_bytes())
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), encoded)


def _forge(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    envelope = json.loads((run / "attestation.json").read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    (run / "attestation.json").write_text(json.dumps(envelope), "utf-8")


FORGED: dict[str, Callable[[Path], object]] = {
    "the statement": lambda run: _forge(run, lambda plain: plain["predicate"]["judge"].update(official=True)),
    "no signature": lambda run: _edit(run / "attestation.json", lambda plain: plain.update(signatures=[])),
    "the kind of payload": lambda run: _edit(run / "attestation.json", lambda plain: plain.update(payloadType="x")),
    "rubbish": lambda run: (run / "attestation.json").write_bytes(b"\xff{"),
    "nothing": lambda run: (run / "attestation.json").unlink(),
    "another kind of JSON": lambda run: (run / "attestation.json").write_bytes(b'{"payload": 1, "signatures": 2}'),
    "a journal made anew": lambda run: _rewrite_journal(run, lambda event, data: None),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_attestation_does_not_hold(copy: Path, keys: Path, name: str) -> None:
    assert humdial("attest", copy, "--key", keys / "organiser.pem")[0] == 0
    FORGED[name](copy)
    found = report(copy, "--public-key", keys / "organiser.pub")
    assert not found["verified"] and found["attestation"] is None and found["difference"] is not None


def test_what_does_not_verify_is_not_signed(copy: Path, keys: Path) -> None:
    code, said = humdial("attest", copy, "--key", keys / "organiser.pub")
    assert (code, "E_SIGNING_KEY" in said) == (2, True), said
    code, said = humdial("attest", copy, "--key", keys / "organiser.locked.pem")
    assert (code, "E_SIGNING_KEY" in said) == (2, True), said
    TAMPER["an item"][0](copy)
    code, said = humdial("attest", copy, "--key", keys / "organiser.pem")
    assert (code, "E_ATTEST" in said) == (1, True), said
    assert not (copy / "attestation.json").exists()
