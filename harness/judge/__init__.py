"""Rubric and reply to verdict: the host makes requests and reads verdicts, the container has the worker and engines."""

from harness.judge.injection import injection_flags
from harness.judge.prompts import prompt_digests, render_rubric
from harness.judge.requests import JudgeItem, judge_request, request_files
from harness.judge.sanitise import neutral_text
from harness.judge.verdicts import read_verdicts

__all__ = [
    "JudgeItem",
    "injection_flags",
    "judge_request",
    "neutral_text",
    "prompt_digests",
    "read_verdicts",
    "render_rubric",
    "request_files",
]
