"""What the doctor says of targets that are names."""

import pytest

from outlast.audit.findings import Level
from outlast.audit.names import TTL_MAX, judge_name
from outlast.health.lookup import Found, Nothing, Silence


@pytest.mark.parametrize(
    ("found", "level", "there"),
    [
        (Found(("192.0.2.1", "2001:db8::1"), TTL_MAX), Level.OK, "resolves to 192.0.2.1 2001:db8::1, for 60 s"),
        (Found(("192.0.2.1",), TTL_MAX + 1), Level.WARN, "resolves to 192.0.2.1, for 61 s"),
        (Nothing("NXDOMAIN"), Level.FAIL, "resolves to nothing: NXDOMAIN"),
        (Silence("192.0.2.53:53: SERVFAIL"), Level.UNKNOWN, "192.0.2.53:53: SERVFAIL"),
    ],
)
def test_each_look_up_is_judged(found: Found | Nothing | Silence, level: Level, there: str) -> None:
    """Nothing fails, silence cannot be told, a long TTL warns; whatever is not well has its fix."""
    finding = judge_name("api.example.com", "lb.example.net.", found)

    assert (level, "lb.example.net. of api.example.com", there) == (finding.level, finding.subject, finding.there)
    assert bool(finding.fix) is (level is not Level.OK)
