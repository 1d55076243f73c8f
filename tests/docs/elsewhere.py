"""Is the mark of a block true that is not executed where it stands? (The three marks: ../shown.py.)"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import click
from shown import DOCS, ROOT, Block, blocks, command_lines, shown

from harness.cli.main import cli

_ENDS = {"&", "&&", "|", "||", ";", ">", ">>"}
_NO_FILE = (click.Choice, click.types.IntParamType, click.types.FloatParamType)
_SBATCH = re.compile(r"^#SBATCH (.+)$", re.MULTILINE)
# The long options of sbatch that a script of ours may use: its manual's names.
_SBATCH_OPTIONS = {"--nodes", "--ntasks-per-node", "--exclusive", "--gpus-per-node", "--time"}


def faults(block: Block) -> list[str]:
    """What is wrong with a block's mark, each with its place; nothing for a block without one."""
    if block.mark is None:
        return []
    looked = {"run on": _on_another_page, "run by": _by_a_test, "checked": _as_far_as_it_goes}[block.mark.how]
    return [f"{block.place}: {fault}" for fault in looked(block, block.mark.where)]


def _on_another_page(block: Block, page: str) -> Iterator[str]:
    if not (DOCS / page).is_file():
        yield f"there is no page {page}"
        return
    for line in command_lines(block):
        if line not in _executed(DOCS / page):
            yield f"no such command is executed on {page}: {line}"


@cache
def _executed(page: Path) -> frozenset[str]:
    return frozenset(line for block in blocks(page) if block.mark is None for line in command_lines(block))


def _by_a_test(block: Block, name: str) -> Iterator[str]:
    file, _, function = name.partition("::")
    found = _function(ROOT / file, function)
    if found is None:
        yield f"there is no {name}"
    elif block not in list(_taken(found)):
        yield f"{name} does not take this block with shown(…)"


def _function(file: Path, name: str) -> ast.FunctionDef | None:
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    return next((each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name), None)


def _taken(function: ast.FunctionDef) -> Iterator[Block]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "shown":
            page, start = (each.value for each in call.args if isinstance(each, ast.Constant))
            yield shown(str(page), str(start))


def _as_far_as_it_goes(block: Block, why: str) -> Iterator[str]:
    if len(why) < 10:
        yield "say why it cannot run here"
    script = block.text if block.kind == "bash" else "\n".join(command_lines(block))
    read = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
    if read.returncode:
        yield f"bash: {read.stderr}"
        return
    for options in _SBATCH.findall(block.text):
        yield from (f"sbatch: {each}" for each in options.split() if each.partition("=")[0] not in _SBATCH_OPTIONS)
    known = 0
    for words in _simple_commands(block):
        if words[:1] == ["python"]:
            known += 1
            yield from _misused_script(words[1:])
        for program, group in _PROGRAMS.items():
            if program in words:
                known += 1
                yield from _misused(group(), words[words.index(program) + 1 :], program)
                break
    if not known:
        yield "nothing in it can be checked"


def _simple_commands(block: Block) -> Iterator[list[str]]:
    """The words between the shell's operators."""
    for line in command_lines(block):
        found: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for word in lexer:
            if word in _ENDS:
                yield found
                found = []
            else:
                found.append(word)
        yield found


def _misused_script(words: list[str]) -> Iterator[str]:
    """One of our scripts with options that its own help names."""
    if not (ROOT / words[0]).is_file():
        yield f"there is no {words[0]}"
        return
    command = [sys.executable, ROOT / words[0], "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    if "usage:" not in said:
        yield f"{words[0]} has no --help"
    yield from (f"{words[0]} has no {each}" for each in words[1:] if each.startswith("-") and each not in said)


def _ray() -> click.Command:
    from ray.scripts.scripts import cli as ray

    group: click.Command = ray
    return group


_PROGRAMS: dict[str, Callable[[], click.Command]] = {"humdial": lambda: cli, "ray": _ray}


def _misused(command: click.Command, words: list[str], name: str, above: click.Context | None = None) -> Iterator[str]:
    """What click would refuse before it starts, were every file there. Words in capitals stand for the reader's own."""
    # As click makes it: a command keeps the help option that its first context asks for.
    context = click.Context(command, parent=above, info_name=name, **command.context_settings)
    try:
        if isinstance(command, click.Group):
            _, inner, rest = command.resolve_command(context, words)
            assert inner is not None
            yield from _misused(inner, rest, words[0], context)
            return
        given, left, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.get_params(context):
            values = given.get(parameter.name or "")
            several = values if isinstance(values, list | tuple) else [values]
            told = [each for each in several if isinstance(each, str)]
            if parameter.required and not told:
                an_option = isinstance(parameter, click.Option)
                yield f"{name}: missing: {parameter.opts[0] if an_option else parameter.make_metavar(context)}"
            if isinstance(parameter.type, _NO_FILE):
                for each in told:
                    parameter.type.convert(each, parameter, context)
        if left:
            yield f"{name}: too many arguments: {left}"
    except click.UsageError as error:
        yield f"{name}: {error.format_message()}"
