"""What PostgreSQL adds to the contract: schemas, rights, writers that stand still, tables that are away."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from registry_places import DB, plan, record
from registry_refusals import own, refusal
from servers import postgres
from servers.process import free_port

from outlast.config.registry_settings import PostgresSettings
from outlast.config.registry_wire import wire
from outlast.errors import InvalidConfig, NotMade, Unavailable
from outlast.registry.postgres import PostgresRegistry

pytestmark = pytest.mark.slow

TIMEOUT = 10.0


@pytest.fixture
def database(postgres_server: postgres.Postgres) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A person's own connection."""
    with psycopg.connect(postgres_server.dsn, password=postgres.PASSWORD, autocommit=True) as connection:
        yield connection


def postgres_registry(server: postgres.Postgres, schema: str, *, timeout: float = TIMEOUT) -> PostgresRegistry:
    return PostgresRegistry(server.dsn, password=postgres.PASSWORD, schema=schema, timeout=timeout)


def wired(settings: PostgresSettings, *, is_reader: bool = False) -> PostgresRegistry:
    """As a configuration gives it."""
    registry = wire(settings, "[registry]", is_reader=is_reader)
    assert isinstance(registry, PostgresRegistry)
    return registry


def test_many_that_begin_at_once_make_the_tables_once(postgres_server: postgres.Postgres) -> None:
    """Connections that meet an empty database at the same time all find the tables that one of them made."""
    schema = own()
    registries = [postgres_registry(postgres_server, schema) for _ in range(6)]

    async def ask() -> list[int]:
        return await asyncio.gather(*(registry.floor() for registry in registries))

    floors = asyncio.run(ask())
    for registry in registries:
        registry.close()

    assert [0] * 6 == floors


@pytest.mark.parametrize(
    ("dsn", "password", "words"),
    [
        ("postgresql://postgres@127.0.0.1:{port}/postgres", "wrong", "see user and password"),
        ("postgresql://postgres@127.0.0.1:{port}/gone", postgres.PASSWORD, "make the database: createdb NAME"),
        ("postgresql://postgres@127.0.0.1:{closed}/x", postgres.PASSWORD, "whether it runs and can be reached"),
        (f"postgresql://postgres:{postgres.PASSWORD}@127.0.0.1:{{port}}/gone", "", "make the database"),
    ],
)
def test_postgres_that_cannot_be_used_says_what_to_do(
    postgres_server: postgres.Postgres, dsn: str, password: str, words: str
) -> None:
    """Wrong password, missing database, nobody there: each names the place and the fix."""
    registry = PostgresRegistry(dsn.format(port=postgres_server.port, closed=free_port()), password=password)
    said = refusal(registry.floor)

    assert "registry postgres 127.0.0.1:" in said
    assert words in said
    assert postgres.PASSWORD not in repr(registry)


@pytest.mark.parametrize("dsn", [f"password={postgres.PASSWORD} nonsense", f"postgresql://me:{postgres.PASSWORD}@[x/y"])
def test_a_dsn_that_cannot_be_read_is_not_repeated(dsn: str) -> None:
    """What libpq refuses to parse may hold a password anywhere."""
    with pytest.raises(InvalidConfig) as caught:
        PostgresRegistry(dsn)

    assert postgres.PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_newer_schema_is_left_alone(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """Tables of a newer version are not touched, and the error says what to do."""
    schema = own()
    registry = postgres_registry(postgres_server, schema)
    asyncio.run(registry.floor())
    database.execute(f"UPDATE {schema}.about SET version = 2".encode())
    registry.close()

    assert f"the schema {schema} has version 2, not 1 (upgrade outlast here" in refusal(registry.floor)


def test_tables_of_another_program_are_left_alone(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """A schema in which somebody else's table has our name is not filled."""
    schema = own()
    database.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.plan (x int)".encode())

    assert "name another schema" in refusal(postgres_registry(postgres_server, schema).floor)


def test_a_server_that_takes_no_writes_says_so(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """A user without the right to write is told which; what can be read is read."""
    schema, user = own(), own()
    registry = postgres_registry(postgres_server, schema)
    assert asyncio.run(registry.publish(plan(1), after=0))
    registry.close()
    database.execute(
        f"CREATE ROLE {user} LOGIN PASSWORD '{postgres.PASSWORD}'; GRANT USAGE ON SCHEMA {schema} TO {user};"
        f" GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}".encode()
    )
    dsn = f"postgresql://{user}@127.0.0.1:{postgres_server.port}/postgres"
    reader = PostgresRegistry(dsn, password=postgres.PASSWORD, schema=schema, timeout=TIMEOUT)
    floor = asyncio.run(reader.floor())
    said = refusal(lambda: reader.publish(plan(2), after=1))
    reader.close()

    assert (1, True) == (floor, "the user needs: GRANT" in said)


def test_who_only_reads_makes_no_tables(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """Looking at an empty database says that there is no registry yet, and leaves it empty; once made, it is read."""
    schema = own()
    settings = PostgresSettings(
        dsn=f"{postgres_server.dsn}?password={postgres.PASSWORD}", schema=schema, timeout=TIMEOUT
    )
    reader, writer = (wired(settings, is_reader=it) for it in (True, False))
    with contextlib.closing(reader), contextlib.closing(writer):
        with pytest.raises(NotMade, match=f"no registry yet, there is no schema {schema}"):
            asyncio.run(reader.floor())
        made = database.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
        asyncio.run(writer.publish(plan(1), after=0))
        floor = asyncio.run(reader.floor())

    assert ((0,), 1) == (made, floor)


def test_a_password_that_is_changed_is_read_anew(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]", tmp_path: Path
) -> None:
    """A running role follows the file; one that cannot be read is named, and no message has the password."""
    user, file = own(), tmp_path / "password"
    database.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'first'; GRANT CREATE ON DATABASE postgres TO {user}".encode())
    dsn = f"postgresql://{user}@127.0.0.1:{postgres_server.port}/postgres"
    file.write_text("first")
    registry = wired(PostgresSettings(dsn=dsn, password_file=file, schema=own(), timeout=TIMEOUT))
    before = asyncio.run(registry.floor())
    database.execute(f"ALTER ROLE {user} PASSWORD 'second'".encode())
    stale = refusal(registry.floor)
    file.write_text("second")
    after = asyncio.run(registry.floor())
    file.unlink()
    missing = refusal(registry.floor)
    registry.close()

    assert (0, 0) == (before, after)
    assert ("see user and password" in stale, str(file) in missing) == (True, True)
    assert "second" not in stale + missing


def test_a_writer_that_stands_still_is_sent_away(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """A process that sleeps with the lock in its hand holds the others up for its timeout and no longer."""
    schema = own()
    sleeper = postgres_registry(postgres_server, schema, timeout=1.0)
    other = postgres_registry(postgres_server, schema)
    asyncio.run(other.floor())

    async def sleep(_: object) -> None:
        stand_still(2.5)

    async def ask() -> tuple[bool, float]:
        sleeping = asyncio.create_task(asyncio.to_thread(lambda: refusal(lambda: sleeper._link.write(sleep))))
        await asyncio.to_thread(wait_for_the_lock, database)
        begun = time.monotonic()
        published = await other.publish(plan(1), after=0)
        took = time.monotonic() - begun
        await sleeping
        return published, took

    published, took = asyncio.run(ask())
    again = asyncio.run(sleeper.floor())
    sleeper.close()
    other.close()

    assert (True, 1) == (published, again)
    assert took < 2.4


def stand_still(seconds: float) -> None:
    """As a stopped process does: its event loop stands still too."""
    time.sleep(seconds)


def wait_for_the_lock(database: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Wait until somebody writes."""
    query = "SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock' AND locktype = 'relation'"
    deadline = time.monotonic() + TIMEOUT
    while not database.execute(query).fetchall():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_role_that_is_stopped_does_not_wait_for_a_server_that_hangs(postgres_server: postgres.Postgres) -> None:
    """A call that is cancelled ends at once, though the server answers nothing, not even a cancellation."""
    registry = postgres_registry(postgres_server, own())

    async def ask() -> float:
        await registry.floor()
        postgres_server.pause()
        try:
            task = asyncio.create_task(registry.floor())
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            task.cancel()
            await asyncio.wait({task})
            return time.monotonic() - begun
        finally:
            postgres_server.resume()

    assert asyncio.run(ask()) < 1.0
    registry.close()


def test_a_damaged_row_is_an_error(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """A stored text that is no safe plan, or no record, is never handed out."""
    schema = own()
    registry = postgres_registry(postgres_server, schema)

    async def fill() -> None:
        await registry.publish(plan(1), after=0)
        await registry.write_record(record(1))

    asyncio.run(fill())
    database.execute(
        f"UPDATE {schema}.plan SET text = '{{}}', stamp = 'x'; UPDATE {schema}.record SET sets = '[]'".encode()
    )
    said = refusal(registry.latest_plan), refusal(registry.records)
    registry.close()

    assert ("is damaged: plan 1" in said[0], f"the record of {DB} at p" in said[1]) == (True, True)


def test_tables_that_were_away_are_used_again(
    postgres_server: postgres.Postgres, database: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    """While a table is missing that is told; once it is back, or the schema was dropped, a connection that stood goes on."""
    registry = postgres_registry(postgres_server, "away")

    async def act() -> tuple[str, bool, int]:
        await registry.write_record(record(1))
        database.execute("ALTER TABLE away.floor RENAME TO floor_away")
        with pytest.raises(Unavailable, match="does not exist") as away:
            await registry.write_record(record(2))
        database.execute("ALTER TABLE away.floor_away RENAME TO floor")
        back = await registry.write_record(record(2))
        database.execute("DROP SCHEMA away CASCADE")
        with pytest.raises(Unavailable):
            await registry.floor()
        return away.value.message, back, await registry.floor()

    said, back, floor = asyncio.run(act())
    registry.close()

    assert (True, 0) == (back, floor), said
