"""Host names in the one form that is compared and written: lower case and absolute, with the dot at the end.

The dot is also what tells a name from an address: no address ends in one.
"""

import re

MAX_LENGTH = 253
"""Characters without the last dot (RFC 1035, section 2.3.4: 255 octets on the wire)."""

# Letters, digits, hyphens, no hyphen at either end (RFC 952, RFC 1123, section 2.1).
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def absolute(text: str) -> str:
    """Return the name in that form.

    Raises:
        ValueError: It is no host name; the message says why.

    """
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(labels) < 2:
        raise ValueError("write the whole name, with its domain")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"it has more than {MAX_LENGTH} characters")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise ValueError(
                f"its label {label!r} is not 1 to 63 letters, digits or hyphens, with no hyphen at either end"
            )
    if labels[-1].isdecimal():
        raise ValueError("its last label is a number, as in an address")  # RFC 3696, section 2
    return f"{name}."


def is_absolute(target: str) -> bool:
    """Whether a target is a name in that form, and not an address."""
    return target.endswith(".")
