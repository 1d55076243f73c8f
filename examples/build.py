"""Builds challenge-shaped data of any size, and the small sample challenge of `make demo`.

    python examples/build.py data --out DIR --seed 7 --dialogues-per-task 150
    python examples/build.py sample --out DIR
    python examples/build.py submission --out DIR --seed 7 --dialogues-per-task 150 --layout release
    python examples/build.py duplex --out DIR

The same arguments give the same bytes (with the same espeak-ng); another seed gives other dialogues.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from generator.broken import write_broken
from generator.dialogues import LANGUAGES, compose
from generator.duplex import write_duplex
from generator.layout import write_challenge
from generator.speech import Synthesiser
from generator.submission import TEAM, write_submission
from generator.teams import write_contexts

SAMPLE_SEED = 2026
SAMPLE_PER_TASK = 4


def build_data(arguments: argparse.Namespace) -> str:
    """Dialogues with labels and the users' speech, in the layout of the dev set or of the release."""
    dialogues = compose(arguments.seed, arguments.dialogues_per_task, arguments.languages, arguments.layout)
    if arguments.no_audio:
        write_challenge(arguments.out, dialogues, labels=True, synthesiser=None)
    else:
        with _synthesiser(arguments.cache) as synthesiser:
            write_challenge(arguments.out, dialogues, labels=True, synthesiser=synthesiser)
    return f"{len(dialogues)} dialogues"


def build_submission(arguments: argparse.Namespace) -> str:
    """A correct submission to the dialogues that `data` makes from the same seed, size, languages and layout."""
    dialogues = compose(arguments.seed, arguments.dialogues_per_task, arguments.languages, arguments.layout)
    with _synthesiser(arguments.cache) as synthesiser:
        write_submission(arguments.out, dialogues, synthesiser, release=arguments.layout == "release")
    return f"a submission of {len(dialogues)} dialogues"


def build_sample(arguments: argparse.Namespace) -> str:
    """Inputs, references, three teams' build contexts, a correct folder submission and a broken one."""
    out: Path = arguments.out
    dialogues = compose(arguments.seed, arguments.dialogues_per_task, LANGUAGES, "seed")
    with _synthesiser(arguments.cache) as synthesiser:
        write_challenge(out / "inputs", dialogues, labels=False, synthesiser=synthesiser)
        write_challenge(out / "references", dialogues, labels=True, synthesiser=synthesiser)
        correct = out / "submissions" / TEAM
        write_submission(correct, dialogues, synthesiser, release=False)
        mistakes = write_broken(correct, out / "submissions" / "broken", out / "submissions" / "broken.expected.json")
        write_contexts(out / "teams", arguments.seed, synthesiser)
    return f"{len(dialogues)} dialogues, 3 teams, a correct submission and one with {len(mistakes)} mistakes"


def build_duplex(arguments: argparse.Namespace) -> str:
    """A small full-duplex challenge: inputs with the organisers' key, and a team's build context."""
    with _synthesiser(arguments.cache) as synthesiser:
        count = write_duplex(arguments.out, arguments.seed, synthesiser)
    return f"{count} full-duplex inputs and a team"


@contextlib.contextmanager
def _synthesiser(cache: Path | None) -> Iterator[Synthesiser]:
    """A synthesiser that keeps what it speaks in `cache`, or for this run only."""
    if cache is not None:
        yield Synthesiser(cache)
        return
    with tempfile.TemporaryDirectory(prefix="humdial-speech-") as folder:
        yield Synthesiser(Path(folder))


def _languages(text: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(text.split(",")))
    unknown = [language for language in chosen if language not in LANGUAGES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no situations are written in {', '.join(unknown)}; there are zh and en")
    return chosen


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="build.py", description=(__doc__ or "").split("\n")[0])
    commands = top.add_subparsers(dest="command", required=True)
    for name, build in (("data", build_data), ("submission", build_submission), ("sample", build_sample)):
        command = commands.add_parser(name, help=(build.__doc__ or "").split("\n")[0])
        command.set_defaults(build=build)
        command.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet, or is empty")
        command.add_argument("--seed", type=int, default=SAMPLE_SEED)
        command.add_argument("--dialogues-per-task", type=_count, default=SAMPLE_PER_TASK, metavar="K")
        command.add_argument("--cache", type=Path, help="keep spoken sentences here for the next build")
        if name != "sample":
            command.add_argument("--languages", type=_languages, default=LANGUAGES, metavar="zh,en")
            command.add_argument("--layout", choices=("seed", "release"), default="seed")
        if name == "data":
            command.add_argument("--no-audio", action="store_true", help="write the JSONL only")
    duplex = commands.add_parser("duplex", help=(build_duplex.__doc__ or "").split("\n")[0])
    duplex.set_defaults(build=build_duplex)
    duplex.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet, or is empty")
    duplex.add_argument("--seed", type=int, default=SAMPLE_SEED)
    duplex.add_argument("--cache", type=Path, help="keep spoken sentences here for the next build")
    return top


def main() -> None:
    """Build, and say on one line what was made."""
    arguments = parser().parse_args()
    if arguments.out.exists() and any(arguments.out.iterdir()):
        sys.exit(f"{arguments.out} is not empty; give a new folder")
    started = time.monotonic()
    made = arguments.build(arguments)
    print(f"made {made} in {arguments.out} ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    main()
