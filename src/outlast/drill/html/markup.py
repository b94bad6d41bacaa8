"""Elements of HTML and SVG that cannot be left unescaped.

`tag` escapes every child that is not markup already and every value of an attribute, so that what stands in a result
(a service's words, a user's group name) can only ever be text.
"""

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is HTML already. Only this module makes it, and only from escaped parts."""

    __slots__ = ()


Child = str | float | None
VOID = frozenset({"br", "meta", "link"})
"""HTML elements that have no end tag (HTML Living Standard, section 13.1.2)."""


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """One element. Children are text or markup, `None` is left out; `class_` is `class`, `stroke_width` `stroke-width`."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{name}{words}>"
    return Markup(start if name in VOID else f"{start}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """Several pieces in a row, each escaped unless it is markup."""
    return Markup("".join(_text(child) for child in children if child is not None))


def verbatim(text: str) -> Markup:
    """Our own constant text, such as a style sheet: never anything that came from a result."""
    return Markup(text)


def _text(child: Child) -> str:
    return child if isinstance(child, Markup) else html.escape(str(child))
