"""Programs of hostile images: what a case's make.py writes as NAME.py becomes an image with that program in it.

A program says ESCAPED when an attempt that must fail succeeds, and DONE at its end; the stage looks for both words in
its log.
"""

from __future__ import annotations

from pathlib import Path

# Answers every input as a sound image would. `target`, `rows` and `attempt` are for what comes after.
ANSWERS = """
import ctypes, errno, json, os, pathlib, shutil, signal, socket, subprocess, sys, time
source, target = pathlib.Path(os.environ["HUMDIAL_INPUT"]), pathlib.Path(os.environ["HUMDIAL_OUTPUT"])
libc = ctypes.CDLL(None, use_errno=True)
REPLIES = {"zh": "你今天一定很不容易，我陪着你。", "en": "That sounds hard, and I am here with you."}

def answer():
    for language in os.environ["HUMDIAL_LANGUAGES"].split(","):
        for task in os.environ["HUMDIAL_TASKS"].split(","):
            (target / language / task).mkdir(parents=True, exist_ok=True)
            with open(target / language / f"{task}.jsonl", "w") as out:
                for line in open(source / language / f"{task}.jsonl"):
                    row = json.loads(line)
                    text = REPLIES[language]
                    turns = [{"turn_id": turn["turn_id"], "response_text": text} for turn in row["turns"]]
                    out.write(json.dumps({"dialogue_id": row["dialogue_id"], "turns": turns}) + "\\n")
                    for turn in row["turns"] if task == "task4" else []:
                        name = f"{row['dialogue_id']}_{turn['turn_id']}_response.wav"
                        shutil.copyfile(source / language / turn["split_audio_file"], target / language / task / name)

def attempt(name, action, *may):
    \"\"\"Say ESCAPED unless ``action`` ends in an error (with ``may``: in one of these, by name).\"\"\"
    try:
        action()
    except OSError as error:
        code = errno.errorcode.get(error.errno, str(error.errno))
        print(name, code if not may or code in may else f"ESCAPED {code}", flush=True)
    else:
        print(name, "ESCAPED", flush=True)

def call(number, *arguments):
    def action():
        if libc.syscall(number, *arguments) < 0:
            raise OSError(ctypes.get_errno(), "")
    return action

def require(name, holds):
    print(name, "ok" if holds else "ESCAPED", flush=True)

"""
BEGINS = "### "
END = '\nprint("DONE", flush=True)\n'


def program(subjects: Path, name: str, body: str, *, answers: bool = True) -> None:
    """Write the program NAME.py: the answers of a sound image first, then ``body``."""
    (subjects / f"{name}.py").write_text(ANSWERS + ("answer()\n" if answers else "") + body + END, "utf-8")


def together(programs: dict[str, str]) -> str:
    """One program that answers and then does what each of these does, which `program` wrote: each with names of its
    own, between lines that say whose they are."""
    text = ANSWERS + "answer()\n"
    for name, source in programs.items():
        body = source.removeprefix(ANSWERS + "answer()\n")
        assert body != source
        text += f'print("\\n{BEGINS}{name}", flush=True)\nexec({body!r}, dict(globals()))\n'
    return text


def dockerfile(subjects: Path, name: str, *lines: str, body: str = "") -> None:
    """An image of NAME/Dockerfile: ``lines`` on top of the base, with a sound program as its entry point."""
    folder = subjects / name
    folder.mkdir()
    (folder / "main.py").write_text(ANSWERS + "answer()\n" + body + END, "utf-8")
    entry = ["COPY main.py /main.py", 'ENTRYPOINT ["python3", "/main.py"]']
    (folder / "Dockerfile").write_text("\n".join([*entry, *lines, ""]), "utf-8")
