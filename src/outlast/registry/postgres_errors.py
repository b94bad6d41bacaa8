"""What PostgreSQL's errors mean, and what to do about them. The codes are those of its manual, appendix A."""

import psycopg

from outlast.registry.tls import UNKNOWN, UNTRUSTED, hint_of

_HINTS = {
    "28": "see user and password, and the server's pg_hba.conf",
    "3D": "make the database: createdb NAME",
    "53": "the server is out of connections, memory or disk: see its log",
    "57": "it is being started or stopped, or cancelled the query: see its log",
    "25006": "this server takes no writes: name the primary, or several hosts with target_session_attrs=read-write",
    "42501": "the user needs: GRANT CREATE ON DATABASE, or USAGE on schema {schema} and all on its tables",
    "42P07": "the schema {schema} holds tables of another program: name another schema",
    "42P01": "tables are missing in the schema {schema}: restore a backup, or drop it, and a new one fills itself",
    "42703": "the schema {schema} holds tables of another program: name another schema",
    "55P03": "another process holds it; see who: SELECT * FROM pg_stat_activity WHERE state <> 'idle'",
    "25P03": "this process stood still in the middle of a transaction; the next call works again",
}
"""By SQLSTATE, or by its class."""


def words_of(error: psycopg.Error) -> str:
    """The server's own words, in one line. None of them repeats a password."""
    return " ".join(str(error).split()) or type(error).__name__


def hint_for(error: psycopg.Error, schema: str) -> str:
    """What to do about it."""
    state = error.sqlstate or ""
    hint = _HINTS.get(state) or _HINTS.get(state[:2])
    if hint is None and isinstance(error, psycopg.OperationalError):
        # What refuses a connection comes as words alone.
        refusals = (("authentication", "28"), ("pg_hba.conf", "28"), ("does not exist", "3D"), ("too many", "53"))
        known = (_HINTS[key] for words, key in refusals if words in str(error))
        hint = _of_tls(str(error)) or next(known, "see whether it runs and can be reached from here")
    return (hint or "this is a bug of outlast or a table changed by hand").format(schema=schema)


def _of_tls(words: str) -> str:
    for part, hint in (
        ("does not support SSL", "switch TLS on in the server (ssl = on), or take ca_file out and trust the network"),
        ("does not match host name", UNTRUSTED),
        ("root certificate file", UNTRUSTED),
        ("valid client certificate", UNKNOWN),
        ("private key file", "the key must be readable by its owner alone: chmod 600 key_file"),
    ):
        if part in words:
            return hint
    return hint_of(words)
