"""`outlast resolver`: asks for a name as the library would, and forgets what is known of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import FAILED, printable, put, put_json
from outlast.errors import InvalidConfig, Refused, ResolutionFailed

if TYPE_CHECKING:
    from outlast.resolver.options import ResolverOptions
    from outlast.resolver.resolver import Resolver

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast resolver ask db.example.com",
    "outlast resolver forget old.example.com",
    status="0 as asked, 1 not as asked, 2 the command line or the configuration is wrong.",
)
ASK_EPILOG = epilog(
    "outlast resolver ask db.example.com",
    "outlast resolver ask db.example.com --upstream 127.0.0.1:53 --json",
    status="0 there are addresses, 1 there are none, 2 the command line or the configuration is wrong.",
)
FORGET_EPILOG = epilog(
    "outlast resolver forget old.example.com",
    status="0 it is forgotten, or was not known, 1 the store cannot be written, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def resolver() -> None:
    """Turn names into addresses, whatever upstreams say."""


@app.command("ask", short_help="Print addresses, their origin, their age and the reason.", epilog=ASK_EPILOG)
def ask(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A host name.")],
    *,
    upstream: Annotated[
        list[str] | None,
        typer.Option("--upstream", metavar="ADDRESS:PORT", help="Whom to ask; then no file is read. Repeat for more."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Print a name's addresses, where they come from, how old they are and why.

    With the configuration, what the store knows is used as by any program that shares it, and what is heard is learnt.
    """
    with _resolver(_options(upstream, config)) as made:
        try:
            answer = made.resolve(name)
        except ResolutionFailed as error:
            if not as_json:
                for line in error.trail:
                    typer.echo(f"  {printable(line)}", err=True)
                raise
            put_json({"name": name, "addresses": [], "reason": error.reason, "trail": error.trail})
            raise typer.Exit(FAILED) from error
    if as_json:
        put_json(answer._asdict())
        return
    for address in answer.addresses:
        put(address)
    put(f"{answer.source}, {answer.age:.1f} s old: {printable(answer.reason)}")


@app.command("forget", short_help="Accept that a name is gone.", epilog=FORGET_EPILOG)
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A host name.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Accept that a name is gone: its last-known-good addresses are forgotten by every program that shares the store."""
    options = _options(None, config)
    if options.store is None:
        fault = f"{config} names no store, so there is nothing to forget"
        raise InvalidConfig((fault,), hint='add store = "resolver.known"')
    with _resolver(options) as made:
        was_known = made.purge(name)
        fault = made.stats().store_fault
    if fault:
        raise Refused(f"{name} is not forgotten: {fault}")
    put(f"{name} is forgotten" if was_known else f"{name} was not known")


def _resolver(options: "ResolverOptions") -> "Resolver":
    from outlast.resolver.resolver import Resolver

    return Resolver(options)


def _options(upstream: list[str] | None, config: Path) -> "ResolverOptions":
    from outlast.config.resolver import load_resolver
    from outlast.resolver.options import ResolverOptions

    return ResolverOptions(upstreams=tuple(upstream)) if upstream else load_resolver(config)
