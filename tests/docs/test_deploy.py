"""The files under deploy/ fit the program: roles and options that exist, and a configuration that can be read."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from outlast.cli.app import app
from outlast.config import wire
from outlast.config.parse import load, parse
from outlast.config.registry_settings import EtcdSettings, PostgresSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLES = ("planner", "enactor", "janitor", "prober")


class Unit(configparser.ConfigParser):
    """A unit's keys keep their capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def manifests() -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "outlast.yaml").read_text()))


def _written(folder: Path) -> Path:
    """The ConfigMap's file."""
    (text,) = (item["data"]["outlast.toml"] for item in manifests() if item["kind"] == "ConfigMap")
    (folder / "outlast.toml").write_text(text)
    return folder / "outlast.toml"


def helps(*words: str) -> str:
    """What the command says of itself; it must exist."""
    done = CliRunner().invoke(app, [*words, "--help"])
    assert 0 == done.exit_code, done.output
    return done.output


@pytest.mark.parametrize("role", ROLES)
def test_the_unit_starts_a_role_that_exists(role: str) -> None:
    """Its command, with the role in place of %i, is one of ours with its options."""
    unit = Unit(interpolation=None, strict=False)
    unit.read(DEPLOY / "systemd" / "outlast@.service")
    words = unit["Service"]["ExecStart"].replace("%i", role).split()

    assert ["/usr/bin/env", "outlast", role, "run", "--config"] == words[:5]
    assert "--config" in helps(role, "run")
    assert {"outlast"} == {unit["Service"]["User"], unit["Service"]["StateDirectory"]}


def test_the_manifests_start_roles_that_exist() -> None:
    """Every container's arguments are a command of ours; enactors alone have the key."""
    containers = [
        (item["metadata"]["name"], container, item["spec"]["template"]["spec"]["volumes"])
        for item in manifests()
        if item["kind"] == "Deployment"
        for container in item["spec"]["template"]["spec"]["containers"]
    ]
    keyed = [name for name, _, volumes in containers if "key" in {volume["name"] for volume in volumes}]

    assert {"planner", "enactor", "prober"} == {name for name, _, _ in containers}
    assert ["enactor"] == keyed
    for name, container, _ in containers:
        assert ["outlast", name, "run", "--config"] == container["args"][:4]
        assert "--config" in helps(name, "run")


def test_every_role_has_a_place_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its root is read-only: an enactor's copy of the registry lies in a volume, or in what systemd makes for it."""
    containers = [it["spec"]["template"]["spec"]["containers"][0] for it in manifests() if it["kind"] == "Deployment"]
    places = [next(it["value"] for it in each["env"] if it["name"] == "STATE_DIRECTORY") for each in containers]
    writable = [{it["mountPath"] for it in each["volumeMounts"] if not it.get("readOnly")} for each in containers]
    settings = load(_written(tmp_path))
    beside = wire.state_folder(settings)
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/outlast:/var/lib/more")

    assert all(place in volumes for place, volumes in zip(places, writable, strict=True))
    assert (tmp_path, Path("/var/lib/outlast")) == (beside, wire.state_folder(settings))


def test_the_manifests_configuration_can_be_read(tmp_path: Path) -> None:
    """The ConfigMap's file is a valid configuration with a registry that several machines share."""
    settings = load(_written(tmp_path))

    assert "postgres" in type(settings.registry).__name__.lower()
    assert {"us-east-1", "us-west-2"} == {it.region for end in settings.topology.endpoints for it in end.targets}


def test_the_registries_of_the_page_can_be_read() -> None:
    """What the page says of a registry with TLS is a configuration, with the members and files that it names."""
    page = (DEPLOY.parent / "docs" / "DEPLOY.md").read_text()
    rest = (
        'realm = "shop"\n[provider.p]\nkind = "rfc2136"\naddress = "192.0.2.53"\nzones = ["example.com"]\n'
        'key_secret_file = "k"\n[endpoint."db.example.com".targets]\neast = ["192.0.2.1"]\n'
    )
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    registries = [text for text in blocks if "[registry]" in text]
    etcd, postgres = (parse((rest + text).encode(), Path("/etc/outlast.toml")).registry for text in registries)

    assert isinstance(etcd, EtcdSettings)
    assert isinstance(postgres, PostgresSettings)
    assert (3, Path("/etc/registry-ca.crt")) == (len(etcd.endpoints), etcd.ca_file)
    assert (("192.0.2.10", "192.0.2.20"), Path("/etc/registry-ca.crt")) == (postgres.hosts, postgres.ca_file)


def test_the_targets_of_the_page_can_be_read() -> None:
    """Targets that are names, as the page writes them, are an endpoint's."""
    page = (DEPLOY.parent / "docs" / "DEPLOY.md").read_text()
    (names,) = (
        text for text in re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if ".targets]" in text
    )
    rest = (
        'realm = "shop"\n[registry]\nkind = "sqlite"\npath = "outlast.db"\n[provider.p]\nkind = "rfc2136"\n'
        'address = "192.0.2.53"\nzones = ["example.com"]\nkey_secret_file = "k"\n'
    )
    (endpoint,) = parse((rest + names).encode(), Path("/etc/outlast.toml")).topology.endpoints

    assert endpoint.has_names


def test_the_page_links_to_files_that_are_there() -> None:
    """Every relative link of docs/DEPLOY.md leads somewhere."""
    page = DEPLOY.parent / "docs" / "DEPLOY.md"
    links = re.findall(r"\]\((\.\./[^)]+)\)", page.read_text())

    assert links
    assert [] == [link for link in links if not (page.parent / link).exists()]
