"""httpx, protected: the same client, whose every request goes through a policy, regions and a resolver.

The policy is around `send`, where all of a client's verbs meet, and not around a transport: a transport returns when the
headers are there, so a body that never comes would be outside of every limit and every retry; and each hop of a redirect
would be a call of its own. A body that the caller streams is the caller's, and `explain` says so.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, TypeVar

import httpx

from outlast.client.explanation import Applied, Explanation, Missing, is_protected, remember
from outlast.client.httpx_seams import find_transports, install_resolver, intercept, switch_off_retries
from outlast.client.ports import Resolves
from outlast.client.regions import Regions
from outlast.client.routing import find_call
from outlast.client.safety import is_idempotent
from outlast.client.trip import Trip
from outlast.errors import InvalidConfig
from outlast.policy.driver import chance, now
from outlast.policy.locks import lock_of
from outlast.policy.policy import Policy
from outlast.policy.transient import transient

C = TypeVar("C", bound=httpx.Client | httpx.AsyncClient)

HEAD_START = 0.98
"""Share of an attempt's time that is given to httpx's own timeouts. They fire first and say in which phase it hung, so that
a connection that was never made is known as such; the attempt's limit would only say that the time is over."""
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Sending:
    """One logical request on its way.

    Args:
        client: Who sends.
        policy: How.
        regions: Where to; `None` for where the request says.
        request: What is sent.

    """

    def __init__(
        self,
        client: httpx.Client | httpx.AsyncClient,
        policy: Policy,
        *,
        regions: Regions | None,
        request: httpx.Request,
    ) -> None:
        call = find_call(str(request.url), regions.urls.values()) if regions is not None else None
        regional = regions if call is not None else None
        is_replayable = isinstance(request.stream, httpx.ByteStream)
        judges = policy.retry is not None and policy.retry.on is transient
        self.trip: Trip[httpx.Response] = Trip(
            regional,
            lock_of(regions) if regions is not None else nullcontext(),
            is_repeatable=is_replayable and is_idempotent(request.method, request.headers, request.extensions),
            is_unsent=self._is_unsent,
            judge=transient if judges else lambda _: False,
            chance=chance,
        )
        self._call = call
        self._request = self._sent = request
        self._extensions = request.extensions
        self._timeouts: Mapping[str, float | None] = request.extensions.get("timeout") or client.timeout.as_dict()

    def prepare(self, timeout: float | None) -> httpx.Request:
        """Return the request of the next attempt: at its region, within its time.

        Args:
            timeout: Seconds; `None` for no limit but the client's own.

        """
        request = self._request
        extensions = {**self._extensions, "timeout": clip(self._timeouts, timeout)}
        choice = self.trip.choose(now())
        if choice is None or self._call is None:
            request.extensions = extensions
            return request
        url = httpx.URL(choice.url + self._call).copy_with(userinfo=request.url.userinfo)
        headers = request.headers.copy()
        # Only a Host that the request's URL gave; one that the caller has set is the caller's.
        if headers.get("host", "") == request.url.netloc.decode("ascii"):
            headers["host"] = url.netloc.decode("ascii")
        self._sent = httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
        if isinstance(request.stream, httpx.ByteStream):
            self._sent.read()  # so that hooks and whoever gets the response can look at `content`, as without regions
        return self._sent

    def end(self) -> None:
        """Give the caller's request its own timeouts back: it may be sent again."""
        self._request.extensions = self._extensions

    def _is_unsent(self, error: BaseException) -> bool:
        if not isinstance(error, _UNSENT):
            return False
        try:
            # After a redirect it is the second request that was not sent; the first was.
            return error.request is self._sent
        except RuntimeError:  # httpx's way to say that the error knows no request
            return False


def clip(timeouts: Mapping[str, float | None], timeout: float | None) -> dict[str, float | None]:
    """Return httpx's four timeouts, none of them longer than the attempt."""
    if timeout is None:
        return dict(timeouts)
    most = timeout * HEAD_START
    return {phase: most if own is None else min(own, most) for phase, own in timeouts.items()}


def protect(client: C, policy: Policy, *, regions: Regions | None = None, resolver: Resolves | None = None) -> C:
    """Put a policy around everything an httpx client sends, and return the same client.

    Args:
        client: An `httpx.Client` or `httpx.AsyncClient` that has not been used yet.
        policy: How calls are made. With several regions it needs a `retry`: to fail over is to try again.
        regions: Where calls go that name no host or one of the regions'. A client without `base_url` gets the home's.
        resolver: Gives the addresses of names.

    Raises:
        InvalidConfig: The client is protected already, its `base_url` is none of the regions', or nothing could fail over.

    """
    _check(client, policy, regions)
    if regions is not None and not client.base_url.host:
        client.base_url = regions.urls[regions.home]
    applied, missing = _describe(client, policy, regions)
    for seam in find_transports(client):
        switched = switch_off_retries(seam)
        applied += [switched] if switched is not None else []
        if resolver is not None:
            done = install_resolver(seam, resolver)
            if isinstance(done, Applied):
                applied.append(done)
            else:
                missing.append(done)
    if isinstance(client, httpx.AsyncClient):
        _intercept_async(client, policy, regions)
    else:
        _intercept(client, policy, regions)
    kind = f"{type(client).__module__}.{type(client).__qualname__}"
    remember(client, Explanation(kind, policy.name, tuple(applied), tuple(missing)))
    return client


def _intercept(client: httpx.Client, policy: Policy, regions: Regions | None) -> None:
    inner = client.send

    def send(request: httpx.Request, **options: Any) -> httpx.Response:
        sending = Sending(client, policy, regions=regions, request=request)
        responses: list[httpx.Response] = []

        def attempt(timeout: float | None = None) -> httpx.Response:
            while responses:
                responses.pop().close()
            responses.append(inner(sending.prepare(timeout), **options))
            return responses[0]

        try:
            return policy.carry(attempt, sending.trip)
        except BaseException:
            # Interrupted in the pause after a response whose body nobody has read: its connection would never come back.
            while responses:
                responses.pop().close()
            raise
        finally:
            sending.end()

    intercept(client, send)


def _intercept_async(client: httpx.AsyncClient, policy: Policy, regions: Regions | None) -> None:
    inner = client.send

    async def send(request: httpx.Request, **options: Any) -> httpx.Response:
        sending = Sending(client, policy, regions=regions, request=request)
        responses: list[httpx.Response] = []

        async def attempt(**given: float) -> httpx.Response:
            while responses:
                await responses.pop().aclose()
            responses.append(await inner(sending.prepare(given.get("timeout")), **options))
            return responses[0]

        try:
            return await policy.acarry(attempt, sending.trip)
        except BaseException:
            while responses:
                await responses.pop().aclose()
            raise
        finally:
            sending.end()

    intercept(client, send)


def _check(client: object, policy: Policy, regions: Regions | None) -> None:
    faults = []
    if not isinstance(client, httpx.Client | httpx.AsyncClient):
        raise InvalidConfig((f"{type(client).__name__} is no httpx client",))
    if is_protected(client):
        faults.append("the client is protected already; a second policy around it would multiply attempts")
    if regions is not None:
        base = str(client.base_url)
        if client.base_url.host and find_call(base, regions.urls.values()) != "/":
            faults.append(f"base_url = {base!r} is none of the regions'; leave it empty")
        if len(regions) > 1 and (policy.retry is None or policy.retry.attempts < 2):
            faults.append(f"policy {policy.name} tries once; to fail over give it retry=Retry(on=outlast.transient)")
    if faults:
        raise InvalidConfig(tuple(faults))


def _describe(
    client: httpx.Client | httpx.AsyncClient, policy: Policy, regions: Regions | None
) -> tuple[list[Applied], list[Missing]]:
    applied: list[Applied] = []
    missing = [
        Missing(
            "streamed bodies",
            "a response read with `stream` is protected up to its headers; a request whose body is a stream or has files is "
            "sent again only if nothing was sent",
        )
    ]
    if policy.deadline is not None or policy.attempt_timeout is not None:
        if isinstance(client, httpx.AsyncClient):
            applied.append(Applied("time limits", "an attempt is cancelled when its time is over"))
        else:
            applied.append(Applied("time limits", "as httpx's own timeouts, clipped to what is left at each attempt"))
            missing.append(
                Missing("hard time limits", "httpx limits each network operation; a drip-fed body can exceed them")
            )
    if policy.retry is not None:
        applied.append(
            Applied("retry", f"{policy.retry.attempts} attempts; writes only if unsent or marked idempotent")
        )
        if policy.retry.on is not transient:
            missing.append(
                Missing("retry of 429, 502, 503, 504", "they are no exceptions; `on=outlast.transient` sees them")
            )
    if policy.retry is not None and policy.budget is None:
        missing.append(Missing("budget", "the policy has none: in an outage every call makes all its attempts"))
    if policy.breaker is not None:
        applied.append(Applied("breaker", "counts calls" if regions is not None else "counts attempts"))
        if policy.retry is None:
            missing.append(
                Missing(
                    "429, 502, 503, 504 in the breaker",
                    "they are no exceptions; `retry=Retry(on=outlast.transient)` sees them",
                )
            )
    if regions is not None:
        applied.append(Applied("regions", ", then ".join(f"{name} ({url})" for name, url in regions.urls.items())))
        if len(regions) > 1 and policy.attempt_timeout is None:
            missing.append(
                Missing(
                    "failover from a region that hangs",
                    "without `attempt_timeout` one attempt may take all of the deadline, or the client's own timeout",
                )
            )
    return applied, missing
