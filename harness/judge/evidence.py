"""What is measured of a reply beside the judge's marks: length, and of its audio speech, pace and quality. It ranks
nothing; only the seconds of speech decide a floor. Runs in the judge container, where the models are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.challenge.text_rules import measure
from harness.documents.verdict import JudgeRequest

SPEECH, DURATION, UNITS, PACE = "speech_s", "duration_s", "units", "units_per_s"


class EvidenceMeter:
    """Evidence of requests whose audio lies below ``folder``; the models are loaded for the first that has audio."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models: tuple[Any, Any] | None = None

    def of(self, request: JudgeRequest) -> dict[str, float]:
        """``units`` (Han characters and words of the reply); with audio also ``duration_s``, ``speech_s``,
        and where there is speech ``units_per_s`` (while it lasts) and the three DNSMOS values.

        Raises MachineError (E_AUDIO)."""
        found = {UNITS: float(reply_units(request.context[-1].reply))}
        if request.audio is None:
            return found
        from harness.judge.engines.quality import RATE_HZ, QualityMeter
        from harness.judge.engines.speech import SpeechMeter, read_pcm16

        if self._models is None:
            self._models = (SpeechMeter(), QualityMeter())
        speech, quality = self._models
        samples = read_pcm16(self._folder / request.audio)
        found[DURATION] = round(len(samples) / RATE_HZ, 3)
        found[SPEECH] = speech.seconds(samples)
        if found[SPEECH] == 0:
            return found  # nobody's voice has no quality
        found[PACE] = round(found[UNITS] / found[SPEECH], 3)
        return found | quality.quality(samples)


def audible(request: JudgeRequest, evidence: Mapping[str, float], settings: Mapping[str, Any]) -> JudgeRequest:
    """The request without its audio dimensions when the reply's audio holds less speech than the spec asks for: that
    is a floor, and no judge is asked. ``settings`` is the document of requests.settings_document."""
    heard = evidence.get(SPEECH)
    if heard is None or heard >= settings["min_speech_s"]:
        return request
    deaf = settings["tasks"][request.task]["audio"]
    return replace(request, audio=None, dimensions=tuple(name for name in request.dimensions if name not in deaf))


def reply_units(text: str) -> int:
    """Length of a reply: Han characters plus words in Latin letters."""
    found = measure(text)
    return found.han + found.words
