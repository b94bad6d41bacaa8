"""Single values: the edges of each kind."""

from collections.abc import Callable

import pytest

from outlast.config import scalars


@pytest.mark.parametrize(
    ("read", "value", "typed"),
    [
        (scalars.duration, "250ms", 0.25),
        (scalars.duration, "1.5s", 1.5),
        (scalars.duration, "2m", 120.0),
        (scalars.duration, "1h", 3600.0),
        (scalars.duration, "1d", 86_400.0),
        (scalars.whole_seconds, "5s", 5),
        (scalars.whole_seconds, 5, 5),
        (scalars.share, 1, 1.0),
        (scalars.share, 0, 0.0),
        (scalars.flag, False, False),
        (scalars.domain, "Example.COM.", "example.com"),
        (scalars.domain, "_outlast.a-b.example", "_outlast.a-b.example"),
        (scalars.ip_address, "2001:DB8::1", "2001:db8::1"),
        (scalars.https_url, "https://a.example/", "https://a.example"),
        (scalars.https_url, "https://192.0.2.1:8443/left", "https://192.0.2.1:8443/left"),
        (scalars.realm, "r" * 32, "r" * 32),
        (scalars.role_name, "r" * 48, "r" * 48),
        (scalars.role_names, ["a", "b"], ("a", "b")),
        (scalars.status_range, [200, 204], (200, 204)),
        (scalars.target, "LB.Example.net", "lb.example.net."),
        (scalars.target, "2001:DB8::1", "2001:DB8::1"),
        (scalars.server, "192.0.2.53", ("192.0.2.53", 53)),
        (scalars.server, "192.0.2.53:5353", ("192.0.2.53", 5353)),
        (scalars.server, "2001:DB8::1", ("2001:db8::1", 53)),
        (scalars.server, "[::1]:65535", ("::1", 65535)),
        (
            scalars.upstreams,
            ["192.0.2.53", "127.0.0.1:5353", "::1", "[::1]:53"],
            ("192.0.2.53", "127.0.0.1:5353", "::1", "[::1]:53"),
        ),
    ],
)
def test_well_written(read: Callable[[object], object], value: object, typed: object) -> None:
    """What is written well comes out typed."""
    assert typed == read(value)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (scalars.duration, "5"),
        (scalars.duration, 5),
        (scalars.duration, "5 s"),
        (scalars.duration, "-5s"),
        (scalars.duration, "5x"),
        (scalars.duration, "1m30s"),
        (scalars.whole_seconds, "250ms"),
        (scalars.whole_seconds, True),
        (scalars.integer, True),
        (scalars.integer, "1"),
        (scalars.integer, 1.0),
        (scalars.share, 1.01),
        (scalars.share, -0.01),
        (scalars.share, float("nan")),
        (scalars.share, True),
        (scalars.flag, 1),
        (scalars.text, ""),
        (scalars.text, 3),
        (scalars.domain, ""),
        (scalars.domain, "a..b"),
        (scalars.domain, "-a.example"),
        (scalars.domain, "a b.example"),
        (scalars.domain, "x" * 64 + ".example"),
        (scalars.domains, []),
        (scalars.domains, "example.com"),
        (scalars.ip_address, "localhost"),
        (scalars.realm, "r" * 33),
        (scalars.realm, ""),
        (scalars.role_name, "r" * 49),
        (scalars.role_name, "a b"),
        (scalars.role_names, "a"),
        (scalars.https_url, "http://a.example"),
        (scalars.https_url, "https://me:word@a.example"),
        (scalars.https_url, "https://a.example/x?y"),
        (scalars.https_url, "https://a.example:port"),
        (scalars.https_url, "https:///x"),
        (scalars.https_url, 3),
        (scalars.status_range, [200]),
        (scalars.target, 3),
        (scalars.upstreams, []),
        (scalars.upstreams, ["192.0.2.53"] * 5),
        (scalars.upstreams, ["localhost"]),
        (scalars.upstreams, ["192.0.2.53:0"]),
        (scalars.upstreams, ["192.0.2.53:"]),
        (scalars.status_range, ["200", "399"]),
    ],
)
def test_badly_written(read: Callable[[object], object], value: object) -> None:
    """What is written badly is refused with what to write instead."""
    with pytest.raises(scalars.Misread, match="write"):
        read(value)
