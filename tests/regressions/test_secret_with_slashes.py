"""A TSIG secret with "//" in it was read as a comment: one drill in thirty did not start. Key files keep every secret."""

from pathlib import Path

import pytest

from outlast.config.key import read_key_file

SECRETS = ("ab//cdEFgh01", "//abcdEFgh01", "ab/+cdEF//==", "////////")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_file_keeps_slashes_in_the_secret(tmp_path: Path, secret: str) -> None:
    """A quoted secret in a BIND key file may hold what would begin a comment elsewhere."""
    file = tmp_path / "it.key"
    file.write_text(f'// by hand\nkey "it." {{ # the drill\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n')

    assert secret == read_key_file(file).secret


@pytest.mark.parametrize("secret", SECRETS[:1] + SECRETS[2:3])
def test_a_bare_secret_between_comments_keeps_slashes(tmp_path: Path, secret: str) -> None:
    """A file with the secret alone may have comments around it, and slashes within it."""
    file = tmp_path / "it.key"
    file.write_text(f"# made by hand\n{secret}\n")

    assert secret == read_key_file(file).secret


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_alone_in_its_file_is_taken_as_it_is(tmp_path: Path, secret: str) -> None:
    """What is base64 as a whole is a secret, whatever it begins with."""
    file = tmp_path / "it.key"
    file.write_text(f"{secret}\n")

    assert secret == read_key_file(file).secret
