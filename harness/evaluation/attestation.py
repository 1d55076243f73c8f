"""A signed statement about a run: an in-toto Statement in a DSSE envelope, by the organisers' own key.

The statement names the published files, the scores, the pins, the journal and the ledger by their SHA-256, and says
what made them. Who has the public key can tell that nobody changed any of them since, the whole journal included.
securesystemslib and in-toto-attestation live in this file alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.documents.codec import canonical_json, pretty_json
from harness.documents.verification import Difference, Signature, VerificationReport
from harness.errors import Refused, UsageError
from harness.evaluation.journal import find, scan
from harness.evaluation.judge_lock import file_digest
from harness.evaluation.publishing import TABLE
from harness.evaluation.run_directory import JOURNAL, LEDGER, PINS, PUBLISHED_FILES, TEAMS, Pins
from harness.evaluation.standings import PUBLISHED

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

ATTESTATION = "attestation.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:humdial:predicate:evaluation:v1"
PASSPHRASE = "HUMDIAL_KEY_PASSPHRASE"
_MOST_BYTES = 64 << 20


def sign_run(path: Path, pins: Pins, verified: VerificationReport, key: Path) -> bytes:
    """The envelope for the run at ``path``, which was just ``verified``.

    Raises Refused (E_ATTEST) for a run that did not verify or is not published, UsageError (E_SIGNING_KEY, E_USAGE).
    """
    if not verified.verified or not verified.published:
        why = "it is not published" if verified.difference is None else verified.difference.what
        raise Refused(
            f"{path.name} is not signed: {why}", code="E_ATTEST", hint="`humdial verify` says what is wrong with it"
        )
    signer = _signer(key)
    envelope = _libraries()[0](_statement(path, pins, verified), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return pretty_json(envelope.to_dict())


def check_attestation(run: Path, file: Path, public_key: Path) -> Signature | Difference:
    """Whether the envelope in ``file`` holds for the run at ``run``: the signature, and every file that it names.

    Raises UsageError (E_SIGNING_KEY, E_USAGE).
    """
    key = _public_key(public_key)
    envelope_type, statement_type, errors = _libraries()
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        envelope: Envelope = envelope_type.from_dict(json.loads(file.read_text("utf-8")))
        if envelope.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"its payload is {envelope.payload_type!r}")
        envelope.verify([key], 1)
        statement = json.loads(envelope.payload)
        _checked(statement, statement_type)
        if statement["predicateType"] != PREDICATE_TYPE:
            raise ValueError(f"it says {statement['predicateType']!r}")
    except errors as error:
        return Difference(file.name, f"the attestation does not hold: {error}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Difference(file.name, f"the attestation cannot be read: {error}")
    named = {each["name"]: "sha256:" + each["digest"]["sha256"] for each in statement["subject"]}
    for name, sha256 in named.items():
        found = _digest(run, name)
        if found != sha256:
            return Difference(name, f"{name} is not the file that was signed", sha256, found)
    left_out = sorted(set(_subjects(run)) - named.keys())
    if left_out:
        return Difference(left_out[0], f"{left_out[0]} was not there when the run was signed")
    return Signature(file.name, key.keyid, len(named))


def _statement(path: Path, pins: Pins, verified: VerificationReport) -> bytes:
    from google.protobuf import json_format
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

    subjects = [
        ResourceDescriptor(name=name, digest={"sha256": file_digest(path / name).removeprefix("sha256:")}).pb
        for name in _subjects(path)
    ]
    predicate = {
        "challenge": {"id": pins.challenge.id, "digest": pins.challenge.digest},
        "judge": {
            "profile": pins.judge.profile,
            "fingerprint": pins.judge.fingerprint,
            "official": pins.judge.official,
        },
        "track": pins.track,
        "policy": pins.policy,
        "gold": f"sha256:{pins.gold}",
        "inputs": pins.inputs,
        "scoring": verified.scoring,
        "madeBy": [dict(each) for each in verified.made_by],
        "verifiedBy": f"humdial {__version__}",
    }
    statement = _libraries()[1](subjects, PREDICATE_TYPE, predicate)
    statement.validate()
    return canonical_json(json_format.MessageToDict(statement.pb))


def _subjects(path: Path) -> Iterator[str]:
    """What is signed, in a fixed order: all that a reader of the results relies on, and nothing that was not verified.
    events.jsonl is not: it grows."""
    named = [record.data for record in find(scan(path / JOURNAL).records, PUBLISHED)]
    held = named[-1] if named else {name for name in PUBLISHED_FILES if name.startswith(TABLE)}  # an earlier humdial's
    published = [name for name in PUBLISHED_FILES if name in held and (path / name).is_file()]
    scores = sorted(each.relative_to(path).as_posix() for each in (path / TEAMS).glob("*/scores/*"))
    yield from (*published, PINS, JOURNAL, LEDGER, *scores)


def _digest(run: Path, name: str) -> str | None:
    path = run / name
    if not path.is_file() or not path.resolve().is_relative_to(run.resolve()):
        return None
    return file_digest(path)


def _checked(plain: Any, statement_type: Any) -> None:
    """Raises ValueError for what is no Statement."""
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2

    try:
        statement_type.copy_from_pb(json_format.ParseDict(plain, statement_pb2.Statement())).validate()
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error


def _libraries() -> tuple[Any, Any, Any]:
    """Envelope, Statement, and what securesystemslib raises for a signature that does not hold."""
    try:
        from in_toto_attestation.v1.statement import Statement
        from securesystemslib.dsse import Envelope
        from securesystemslib.exceptions import Error
    except ImportError as error:
        raise UsageError(
            f"attestations need a library that is not installed ({error.name})",
            code="E_USAGE",
            hint="pip install 'humdial-harness[attest]'",
        ) from error
    return Envelope, Statement, Error


def _signer(path: Path) -> CryptoSigner:
    _libraries()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    passphrase = os.environ.get(PASSPHRASE)
    try:
        loaded: Any = load_pem_private_key(path.read_bytes(), passphrase.encode() if passphrase else None)
        return CryptoSigner(loaded)
    except Exception as error:  # cryptography raises many kinds for a bad key; this is its border
        raise _bad_key(path, error, f"pass a private key in PEM; {PASSPHRASE} opens it") from error


def _public_key(path: Path) -> SSlibKey:
    _libraries()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        loaded: Any = load_pem_public_key(path.read_bytes())
        return SSlibKey.from_crypto(loaded)
    except Exception as error:  # as above
        raise _bad_key(path, error, "pass a public key in PEM: Ed25519, ECDSA or RSA") from error


def _bad_key(path: Path, error: Exception, hint: str) -> UsageError:
    return UsageError(f"{path.name} cannot be used as a key: {error}", code="E_SIGNING_KEY", hint=hint)
