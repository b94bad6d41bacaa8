"""What must stay small, counted: lines, parameters, stubs, exemptions from the linters."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OURS = sorted([*SOURCES, *TESTS, *(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])

MODULE_LINES = 400
TEST_MODULE_LINES = 500
FUNCTION_LINES = 50
POSITIONAL = 5
"""`self` included; at most three of them are arguments a caller should have to keep in order."""
EXEMPTIONS = {("src", "noqa"): 36, ("src", "type: ignore"): 8, ("tests", "noqa"): 21, ("tests", "type: ignore"): 7}
"""How many there are. They may become fewer; whoever must raise a number says why in the review."""

STUB = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|NotImplemented" r"Error)\b")
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
FOREIGN_SIGNATURES = {"connect_tcp"}
"""Methods of an interface that is not ours."""
EXEMPTION = re.compile(r"#\s*(noqa|type: ignore)\b(\[[^\]]+\]|:[ ]?[A-Z]+\d+(?:,\s?[A-Z]+\d+)*)?(.*)")
RANDOM = re.compile(r"\b(System)?Random\(")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions(path: Path) -> tuple[Function, ...]:
    return tuple(node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def places(found: list[tuple[Path, int, str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {words}" for path, line, words in found]


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


@cache
def exemptions() -> list[tuple[Path, int, re.Match[str]]]:
    return [
        (path, line, match)
        for path in OURS
        for line, comment in comments(path)
        for match in [EXEMPTION.search(comment)]
        if match
    ]


def test_modules_are_short() -> None:
    """No module is longer than the limit, and none has a name that says nothing."""
    lines = [
        (path, path.read_text().count("\n"), TEST_MODULE_LINES if path in TESTS else MODULE_LINES) for path in OURS
    ]

    assert [] == [f"{path.relative_to(ROOT)}: {count} lines" for path, count, limit in lines if count > limit]
    assert [] == [str(path) for path in OURS if path.stem.strip("_") in VAGUE]


def test_functions_are_short() -> None:
    """No function body is longer than the limit."""
    found = [(path, node.lineno, f"{node.name} has {length(node)} lines") for path in OURS for node in functions(path)]

    assert [] == places([item for item in found if int(item[2].split()[-2]) > FUNCTION_LINES])


def test_few_parameters_go_by_position() -> None:
    """No function of ours takes more positional parameters than the limit; commands get theirs by name from the parser."""
    found = [
        (path, node.lineno, f"{node.name} takes {count} positional parameters")
        for path in SOURCES
        if "cli" not in path.parts
        for node in functions(path)
        if (count := len(node.args.posonlyargs) + len(node.args.args)) > POSITIONAL
        if node.name not in FOREIGN_SIGNATURES
    ]

    assert [] == places(found)


def test_nothing_is_a_stub() -> None:
    """No word that promises later work stands in the code."""
    lines = [(path, n, line.strip()) for path in SOURCES for n, line in enumerate(path.read_text().splitlines(), 1)]

    assert [] == places([item for item in lines if STUB.search(item[2])])


@pytest.mark.parametrize(("folder", "kind"), sorted(EXEMPTIONS))
def test_exemptions_do_not_multiply(folder: str, kind: str) -> None:
    """There are no more exemptions from the linters than were agreed."""
    count = sum(match[1] == kind for path, _, match in exemptions() if path.is_relative_to(ROOT / folder))

    assert count <= EXEMPTIONS[folder, kind]


def test_every_exemption_gives_its_reason() -> None:
    """An exemption names the one rule it lifts and says why in words."""
    bare = [
        (path, line, match[0])
        for path, line, match in exemptions()
        if not match[2] or not re.search(r"[a-z]{2}", match[3] or "")
    ]

    assert [] == places(bare)


def test_every_test_says_what_it_holds() -> None:
    """Each test begins with a sentence that states the behaviour, and each test file has a name of its own."""
    files = [path for path in TESTS if path.stem.startswith("test_")]
    silent = [
        (path, node.lineno, node.name)
        for path in files
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert [] == places(silent)
    assert sorted({path.name for path in files}) == sorted(path.name for path in files)


def test_random_tests_can_be_replayed() -> None:
    """A test file that draws chance of its own names the seed and how to replay it, or takes the seed as a parameter."""
    draws = [path for path in TESTS if RANDOM.search(path.read_text()) and path != Path(__file__)]

    assert [] == [str(path.relative_to(ROOT)) for path in draws if not re.search("replay|seed", path.read_text())]
