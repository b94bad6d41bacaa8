"""From a transaction to one change batch of Route 53. Nothing is sent here.

A batch is a transaction: Route 53 validates every change and makes all or none, and a DELETE is valid only if it names
the set exactly as it stands (API Reference, ChangeResourceRecordSets: "Change Batches and Transactional Changes",
"Deleting Resource Record Sets"). So the DELETE of what was seen is the comparison, and the CREATE beside it the swap. An
UPSERT compares nothing, and is never sent.

What fences what:

- the sentinel and every set that goes or changes: DELETE of exactly what was seen, and CREATE of what comes;
- a set that stays as it is: DELETE and CREATE of equal values. The documentation forbids only a second DELETE of one
  set and is silent on this, so if the batch is refused and nothing has changed, it is sent once more without these
  pairs (`Route53Provider.commit`). Then the sentinel alone fences them, which every writer of ours moves; a stranger's
  change to them in that moment is neither noticed nor overwritten, and the next pass repairs it;
- the absence of a set: CREATE where one comes. Where none comes, Route 53 has no way to demand it. Again no writer of
  ours can get past the sentinel, and what a stranger adds is left alone until the next pass reads it. Route 53 itself
  keeps a CNAME from standing beside anything, and a plain set beside routed ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from outlast.provider.route53_sets import (
    ADDRESS_TYPES,
    ROUTED,
    ApiSet,
    api_set,
    name_of,
    plain_set,
    record_set,
    txt_of,
)
from outlast.traffic.content import RecordSet
from outlast.traffic.ports import Transaction
from outlast.traffic.sentinel import TTL, sentinel_name

Change = Mapping[str, Any]
"""One `Change` as the API takes it."""
MAX_RECORDS = 1_000
"""`ResourceRecord` elements in a batch (Developer Guide, "Quotas", API requests)."""
MAX_CHARACTERS = 32_000
"""Characters in all the `Value` elements of a batch (as above)."""


def changes(
    transaction: Transaction, standing: Sequence[ApiSet] = (), *, fences_kept: bool = True
) -> tuple[Change, ...]:
    """The batch: all that goes, then all that comes.

    Args:
        transaction: What was seen and what shall be.
        standing: The sets as the API lists them, if they are at hand: a DELETE then repeats them to the letter, where
            our own form may differ in what means the same (the notation of an address, the sentinel's TTL).
        fences_kept: Whether sets that stay are replaced by themselves, so that the batch demands them.

    """
    seen, wanted = transaction.seen.sets, transaction.content.sets
    kept = set() if fences_kept else set(seen) & set(wanted)
    going = [_as_listed(transaction.endpoint, item, standing) for item in seen if item not in kept]
    coming = [api_set(transaction.endpoint, item) for item in wanted if item not in kept]
    owner = sentinel_name(transaction.endpoint)
    if transaction.seen.sentinel:
        going.append(_sentinel_as_listed(owner, transaction.seen.sentinel, standing))
    coming.append(plain_set(owner, "TXT", TTL, [txt_of(transaction.sentinel.text)]))
    return (*(_change("DELETE", item) for item in going), *(_change("CREATE", item) for item in coming))


def refusal(transaction: Transaction, batch: Sequence[Change]) -> str:
    """Why the batch must not be sent, with what lifts it; empty if it may."""
    routed = sorted(item.type for item in transaction.seen.sets if item.type.startswith(ROUTED))
    routed += [text.partition("{")[0].strip() for text in transaction.seen.sentinel if text.startswith(ROUTED)]
    if routed:
        return (
            f"{transaction.endpoint} has record sets with a routing policy ({', '.join(routed)}), which are never "
            "overwritten; lifted by removing them in Route 53, or by taking the endpoint out of this provider's zones"
        )
    values = [record["Value"] for item in batch for record in item["ResourceRecordSet"].get("ResourceRecords", ())]
    characters = sum(map(len, values))
    if len(values) > MAX_RECORDS or characters > MAX_CHARACTERS:
        return (
            f"a batch of {len(values)} records and {characters} characters, and Route 53 takes {MAX_RECORDS} and "
            f"{MAX_CHARACTERS}; lifted by giving {transaction.endpoint} fewer addresses"
        )
    return ""


def _change(action: str, item: ApiSet) -> Change:
    return {"Action": action, "ResourceRecordSet": item}


def _as_listed(owner: str, item: RecordSet, standing: Sequence[ApiSet]) -> ApiSet:
    own = (listed for listed in standing if name_of(listed["Name"]) == owner and listed["Type"] in ADDRESS_TYPES)
    return next((listed for listed in own if record_set(listed) == item), api_set(owner, item))


def _sentinel_as_listed(owner: str, texts: tuple[str, ...], standing: Sequence[ApiSet]) -> ApiSet:
    own = (listed for listed in standing if name_of(listed["Name"]) == owner and listed["Type"] == "TXT")
    return next(own, plain_set(owner, "TXT", TTL, map(txt_of, texts)))
