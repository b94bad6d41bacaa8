"""A user's own service and call in the drill: the example's commands run, and what is wrong is told before anything starts."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from drill_process import running

from outlast.drill.own import OwnOptions
from outlast.errors import InvalidConfig

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_service"
SCRIPT = Path(__file__).with_name("own_drill.py")
COMMAND = re.compile(r"^outlast (drill .*)$", re.MULTILINE)

COMMANDS = COMMAND.findall((EXAMPLE / "README.md").read_text(encoding="utf-8"))
SERVICE = "python service.py {address} {port}"


def named(command: str) -> str:
    """The client that a command names."""
    return command.partition("--client ")[2].partition(" ")[0]


def refused(folder: Path, *arguments: str) -> str:
    """What the command says on stderr when it refuses with status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "outlast.cli", "drill", *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.skipif(find_spec("fastapi") is None, reason="fastapi is not installed")
@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_the_commands_of_the_example_run(tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each plays its act, shortened, with the user's group in it; nothing is left; the protected call does better."""
    folder = shutil.copytree(EXAMPLE, tmp_path / "example")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    words = (*shlex.split(command), "--json", "result.json", "--seed", "5")
    with running(tmp_path / "tmp", sys.executable, str(SCRIPT), *words) as drill:
        status = drill.wait()
        left, folders, output = drill.left_behind(), drill.folders(), drill.output
    assert (folder / "result.json").exists(), output
    act = json.loads((folder / "result.json").read_text())["acts"][0]
    groups = {group["group"]: group for group in act["groups"]}
    own = groups[words[words.index("--client") + 1].partition(":")[2]]
    page = (folder / words[words.index("--report") + 1]).read_text()

    assert ({}, []) == (left, folders), output
    assert status in (0, 1), output
    assert "the act is played to its end" not in output
    assert own["group"] in page
    assert own["calls"] >= 300
    if own["group"] == "place_order_protected":
        assert own["availability"] > 0.95, output
    else:
        assert 0.1 < own["availability"] < 0.9, output


@pytest.mark.slow
def test_a_service_that_does_not_listen_is_named(tmp_path: Path) -> None:
    """One that ends by itself: the drill ends within its ten seconds with status 1, its last words, and nothing left."""
    (tmp_path / "shop.py").write_text("def buy(base_url): pass\n")
    service = f"{sys.executable} -c \"raise SystemExit('no database')\" {{address}} {{port}}"
    words = ("drill", "--client", "shop:buy", "--service", service)
    with running(
        tmp_path / "tmp", "sh", "-c", 'cd "$0"; exec "$@"', str(tmp_path), sys.executable, str(SCRIPT), *words
    ) as drill:
        status = drill.wait()
        left, folders, output = drill.left_behind(), drill.folders(), drill.output

    assert (1, {}, []) == (status, left, folders), output
    assert "own-us-east-1 ended" in output
    assert "no database" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("nosuch:buy", "cannot import nosuch: ModuleNotFoundError: No module named 'nosuch'"),
        ("broken:buy", "cannot import broken: ZeroDivisionError: division by zero"),
        ("shop:sell", "shop has no function sell"),
        ("shop:buy", "buy asks for basket; it can have base_url, base_urls, resolver, deadline, each by name"),
    ],
)
def test_a_client_that_cannot_be_used_is_told_before_anything_starts(tmp_path: Path, client: str, told: str) -> None:
    """Status 2, the reason in a line, and no folder was made."""
    (tmp_path / "shop.py").write_text("def buy(basket): pass\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    said = refused(tmp_path, "--client", client)

    assert told in said
    assert [] == list(tmp_path.glob("outlast-drill-*"))


@pytest.mark.slow
def test_options_without_a_client_are_refused(tmp_path: Path) -> None:
    """A service that nobody calls, and a configuration that nobody reads, are both named."""
    said = refused(tmp_path, "--service", SERVICE, "--config", "outlast.toml")

    assert ["--service needs --client: nobody would use it", "--config needs --client: nobody would use it"] == [
        line.removeprefix("outlast: ").strip() for line in said.splitlines()
    ]


def test_all_faults_of_the_options_come_at_once(tmp_path: Path) -> None:
    """The function's form, each missing placeholder, and the file that is not there."""
    with pytest.raises(InvalidConfig) as caught:
        OwnOptions(client="shop", service="run {adress}", config=tmp_path / "no.toml", folder=tmp_path)

    assert 4 == len(caught.value.faults)
    assert [] == [
        w for w in ("module:function", "{address} is", "{port} is", "no such file") if w not in str(caught.value)
    ]


def test_placeholders_are_filled_without_a_shell(tmp_path: Path) -> None:
    """Also within words, and what looks like shell stays as it is."""
    options = OwnOptions(client="a.b:c", service="run --at={address}:{port} '$HOME; {region}'", folder=tmp_path)

    assert ["run", "--at=127.0.1.1:80", "$HOME; us-east-1"] == options.command("127.0.1.1", 80, region="us-east-1")


def test_a_group_never_takes_the_name_of_one_of_ours(tmp_path: Path) -> None:
    """It has the function's name, told apart where it must be."""
    groups = [OwnOptions(client=f"m:{name}", folder=tmp_path).group for name in ("buy", "plain", "observer")]

    assert ["buy", "own-plain", "own-observer"] == groups
