"""Keys as people keep them."""

from pathlib import Path

import pytest

from outlast.config.key import Key, read_key, read_key_file
from outlast.config.parse import parse
from outlast.config.wire import providers
from outlast.errors import InvalidConfig

SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="
BIND = f'key "outlast" {{\n\talgorithm hmac-sha512; // chosen by tsig-keygen\n\tsecret "{SECRET}";\n}};\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "tsig.key"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (BIND, Key(name="outlast", algorithm="hmac-sha512", secret=SECRET)),
        (f"key outlast {{ secret {SECRET}; }};", Key(name="outlast", algorithm="hmac-sha256", secret=SECRET)),
        (f"{SECRET}\n", Key(name="", algorithm="", secret=SECRET)),
        (f"# the shop's\n{SECRET}\n", Key(name="", algorithm="", secret=SECRET)),
    ],
)
def test_key_files(tmp_path: Path, text: str, key: Key) -> None:
    """A BIND key file says everything, a bare secret only itself; comments are skipped."""
    assert key == read_key_file(written(tmp_path, text))


def test_a_key_in_words() -> None:
    """A key may be given as name, algorithm and secret."""
    expected = Key(name="outlast", algorithm="hmac-sha256", secret=SECRET)

    assert expected == read_key(f"outlast:hmac-sha256:{SECRET}")


@pytest.mark.parametrize("text", ["", "not base64!", BIND.replace(SECRET, "x y"), BIND.replace("sha512", "md4")])
def test_damaged_keys(tmp_path: Path, text: str) -> None:
    """A damaged key is refused, with the file's name and without the secret."""
    path = written(tmp_path, text)
    with pytest.raises(InvalidConfig) as caught:
        read_key_file(path)

    assert (True, False) == (str(path) in str(caught.value), SECRET in str(caught.value))


def test_a_key_without_a_name_is_no_key_for_a_command_line(tmp_path: Path) -> None:
    """A bare secret does not say whose it is."""
    path = written(tmp_path, SECRET)
    with pytest.raises(InvalidConfig, match="no key name"):
        read_key(str(path))


def test_the_secret_never_shows() -> None:
    """The representation holds no secret."""
    assert "Key(name='n', algorithm='a')" == repr(Key(name="n", algorithm="a", secret=SECRET))


def test_a_missing_variable() -> None:
    """A secret that the environment does not hold is named with its variable."""
    text = (
        'realm = "shop"\n[registry]\nkind = "sqlite"\npath = "x"\n[provider.p]\nkind = "rfc2136"\nkey_name = "k"\n'
        'address = "192.0.2.53"\nzones = ["example.com"]\nkey_secret_env = "OUTLAST_NOBODY_SETS_THIS"\n'
        '[endpoint."db.example.com".targets]\nx = ["192.0.2.1"]\n'
    )
    settings = parse(text.encode(), Path("o.toml"))
    with pytest.raises(InvalidConfig) as caught:
        providers(settings)

    expected = (
        'o.toml: [provider.p] key_secret_env = "OUTLAST_NOBODY_SETS_THIS": the environment has no such variable; set it'
    )
    assert (expected,) == caught.value.faults
