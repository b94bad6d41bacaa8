"""One connection to PostgreSQL: opening it, the schema, transactions bounded in time, and what its errors mean.

Theory of operation. A reader's transaction is REPEATABLE READ: one snapshot. A writer's first statement locks the
table `floor` against other writers (not against readers), so that writers come one after another, as with SQLite's
BEGIN IMMEDIATE, and what each has read is still true when it writes. Rejected: SERIALIZABLE, which on tables this small
locks whole relations, so that records of different endpoints would refuse one another and be tried again. A writer takes
a millisecond and a control plane writes some tens of times a second.

A writer that is stopped with the lock in its hand (SIGSTOP, a sleeping machine) is ended by the server after the same
timeout that ends the waiting of the others.

A call that runs out of time closes the connection at once. psycopg would first ask the server to cancel, and wait for
that, which a server that hangs does not do either.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from outlast.errors import InvalidConfig, NotMade, Unavailable
from outlast.registry.postgres_errors import hint_for, words_of
from outlast.registry.tls import TlsFiles, context

Result = TypeVar("Result")
Cursor = psycopg.AsyncCursor[tuple[Any, ...]]
Work = Callable[[Cursor], Awaitable[Result]]

SCHEMA_VERSION = 1
SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limits}"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {limits}; LOCK TABLE floor IN EXCLUSIVE MODE; {durable}"
_LIMITS = (
    "SET LOCAL search_path = {schema}, pg_catalog; SET LOCAL lock_timeout = {ms}; SET LOCAL statement_timeout = {ms};"
    " SET LOCAL idle_in_transaction_session_timeout = {ms}"
)
# An acknowledged write must be on the disk even where the database's own default says otherwise.
_DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
_ABOUT = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = 'about'"
_VERSION = "SELECT version FROM {schema}.about"
# Names sort by their bytes, as in every other registry, whatever the language of the database.
_TABLES = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE about (version integer NOT NULL);
INSERT INTO about VALUES (1);
CREATE TABLE floor (generation bigint NOT NULL);
INSERT INTO floor VALUES (0);
CREATE TABLE plan (generation bigint PRIMARY KEY, stamp text NOT NULL, at bigint NOT NULL,
    tombstoned bigint NOT NULL DEFAULT 0, text text NOT NULL);
CREATE TABLE record (provider text COLLATE "C", endpoint text COLLATE "C", n bigint NOT NULL, gen bigint NOT NULL,
    sentinel text NOT NULL, sets text NOT NULL, PRIMARY KEY (provider, endpoint));
CREATE INDEX record_gen ON record (gen);
CREATE TABLE report (provider text COLLATE "C", endpoint text COLLATE "C", gen bigint NOT NULL, digest text NOT NULL,
    PRIMARY KEY (provider, endpoint));
CREATE TABLE signal (target text COLLATE "C", observer text COLLATE "C", verdict text NOT NULL, since bigint NOT NULL, at bigint NOT NULL,
    ever_healthy boolean NOT NULL, evidence text NOT NULL, PRIMARY KEY (target, observer));
CREATE TABLE order_ (kind text COLLATE "C", subject text COLLATE "C", endpoint text COLLATE "C", addresses text NOT NULL, by text NOT NULL,
    at bigint NOT NULL, reason text NOT NULL, PRIMARY KEY (kind, subject, endpoint));
CREATE TABLE deed (number bigint PRIMARY KEY, at bigint NOT NULL, by text NOT NULL, what text NOT NULL,
    subject text NOT NULL, why text NOT NULL, outcome text NOT NULL);
CREATE TABLE lease (name text PRIMARY KEY, holder text NOT NULL, token bigint NOT NULL, beat bigint NOT NULL)
"""


NO_FILES = TlsFiles()


def _tls_words(tls: TlsFiles) -> dict[str, str]:
    # As libpq says it. It would find a bad file only when it connects, as if the server were not there.
    if tls == NO_FILES:
        return {}
    context(tls)
    verified = {"sslmode": "verify-full", "sslrootcert": str(tls.ca)} if tls.ca is not None else {}
    return verified | ({"sslcert": str(tls.cert), "sslkey": str(tls.key)} if tls.cert is not None else {})


class Link:
    """The connection, opened when first needed, for one transaction at a time.

    Args:
        dsn: Where the database is, as libpq reads it.
        password: Its password, if it does not stand in the DSN; or what gives it, asked anew for each connection.
        schema: The schema of our tables; it is made if it is not there, but for a reader.
        timeout: Seconds for one transaction, with all waiting.
        is_reader: Nothing is made: `NotMade` where there are no tables.
        tls: The server's authority and our certificate. With an authority, nothing but TLS to a server whose certificate
            it signed, for the name in the DSN, is used (`sslmode=verify-full`); otherwise what the DSN says.

    Raises:
        InvalidConfig: DSN, schema or a certificate cannot be read. The DSN is not repeated: there may be a password in it.

    """

    def __init__(
        self,
        dsn: str,
        *,
        password: str | Callable[[], str],
        schema: str,
        timeout: float,
        tls: TlsFiles = NO_FILES,
        is_reader: bool = False,
    ) -> None:
        try:
            self._parameters = conninfo_to_dict(dsn)
        except psycopg.Error:
            fix = "write postgresql://user@host:5432/database"
            raise InvalidConfig((f"the DSN of the registry cannot be read: {fix}",)) from None
        if not SCHEMA_NAME.fullmatch(schema):
            raise InvalidConfig((f"schema = {schema!r}: write lower case letters, digits and underscores",))
        self._conninfo = make_conninfo(dsn, application_name="outlast", **_tls_words(tls))
        self._password = password if callable(password) else partial(str, password)
        self._timeout = timeout
        self._schema = schema
        self._is_reader = is_reader
        self._limits = _LIMITS.format(schema=schema, ms=max(1, int(timeout * 1000)))
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()

    def __str__(self) -> str:
        part = self._parameters
        host = f"{part.get('host', 'local socket')}{':' if 'port' in part else ''}{part.get('port', '')}"
        return f"postgres {host} {part.get('dbname', '')}".rstrip()

    def __repr__(self) -> str:
        return f"<Link {self} {'open' if self._connection is not None else 'closed'}>"

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on one snapshot.

        Raises:
            Unavailable: The database cannot be used; the message names it and the hint the fix.

        """
        return await self._transact(_READ, work)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` alone and make its changes last, or undo them all if it raises.

        Raises:
            Unavailable: As `read`; the changes may have been stored all the same.

        """
        return await self._transact(_WRITE, work)

    def close(self) -> None:
        """Close the connection. The next transaction opens one again."""
        if self._connection is not None:
            self._connection.pgconn.finish()
        self._connection = None

    async def _transact(self, begin: str, work: Work[Result]) -> Result:
        if self._loop is not asyncio.get_running_loop():  # a connection belongs to the loop that opened it
            self.close()
            self._loop, self._turn = asyncio.get_running_loop(), asyncio.Lock()
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await self._cut_off(self._explained(begin, work))
        except TimeoutError as error:
            raise Unavailable(
                f"registry {self}: no answer within {self._timeout:g} s",
                hint="see whether it runs, can be reached from here, and is not overloaded; or raise timeout",
            ) from error

    async def _cut_off(self, work: Awaitable[Result]) -> Result:
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.close()
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # it is known that it failed
            raise

    async def _explained(self, begin: str, work: Work[Result]) -> Result:
        try:
            return await self._alone(begin.format(limits=self._limits, durable=_DURABLE), work)
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.UndefinedTable):
                self.close()  # opened anew, it makes a schema that was dropped
            raise Unavailable(f"registry {self}: {words_of(error)}", hint=hint_for(error, self._schema)) from error

    async def _alone(self, begin: str, work: Work[Result]) -> Result:
        connection = await self._begun(begin)
        try:
            async with connection.cursor() as cursor:
                result = await work(cursor)
                await connection.execute("COMMIT")
        except BaseException:
            await self._roll_back(connection)
            raise
        return result

    async def _begun(self, begin: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        if self._connection is not None:
            try:
                await self._connection.execute(begin)
            except psycopg.Error as error:
                # Nothing was done yet. The server may have been restarted since the last call, or the tables are gone.
                await self._roll_back(self._connection)
                if not isinstance(error, psycopg.OperationalError):
                    raise
                if self._connection is not None:
                    raise
            else:
                return self._connection
        connection = await self._opened()
        await connection.execute(begin)
        return connection

    async def _roll_back(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        try:
            if not connection.closed:
                await connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.pgconn.finish()
        if connection.closed and self._connection is connection:
            self._connection = None

    async def _opened(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        # Without prepared statements it works behind a pooler too.
        self._connection = await psycopg.AsyncConnection.connect(
            make_conninfo(self._conninfo, **self._secret()), autocommit=True, prepare_threshold=None
        )
        try:
            await self._prepare(self._connection)
        except BaseException:
            self.close()
            raise
        return self._connection

    def _secret(self) -> dict[str, str]:
        try:
            password = self._password()
        except InvalidConfig as error:
            raise Unavailable(f"registry {self}: {error.message}") from error
        return {"password": password} if password else {}

    async def _prepare(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        if await self._is_ours(connection):
            return
        if self._is_reader:
            fix = "outlast up, or outlast planner run, makes it; if one runs, its database or schema is another"
            raise NotMade(f"registry {self}: no registry yet, there is no schema {self._schema}", hint=fix)
        # Only one process makes the tables; CREATE SCHEMA IF NOT EXISTS alone would race.
        await connection.execute(f"BEGIN; {self._limits}")
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"outlast {self._schema}",))
        if not await self._is_ours(connection):
            await connection.execute(_TABLES.format(schema=self._schema))
        await connection.execute("COMMIT")

    async def _is_ours(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> bool:
        # Asked of the catalogue's tables: to_regclass() may repeat from a cache that there is no such schema, also after
        # the wait for somebody who made it.
        found = await connection.execute(_ABOUT, (self._schema,))
        if await found.fetchone() is None:
            return False
        row = await (await connection.execute(_VERSION.format(schema=self._schema))).fetchone()
        version = row[0] if row is not None else None
        if version != SCHEMA_VERSION:
            raise Unavailable(
                f"registry {self}: the schema {self._schema} has version {version}, not {SCHEMA_VERSION}",
                hint="upgrade outlast here, or name another schema",
            )
        return True
