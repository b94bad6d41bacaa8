"""The quick look at an address says what `ipaddress` says."""

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st

from outlast.errors import UnsafePlan
from outlast.traffic.content import Content, RecordSet, target_fault

octets = st.one_of(st.integers(0, 300).map(str), st.sampled_from(["", "00", "01", " 1", "1\n", "+1", "1_0", "٣", "x"]))
nearly = st.lists(octets, min_size=1, max_size=5).map(".".join)


@given(st.one_of(nearly, st.ip_addresses().map(str), st.text(max_size=12)))
@example("192.0.01.1")
@example("01.2.3.4")
@example("0.0.0.0")
@example("0.1.2.3")
@example("223.255.255.255")
@example("224.0.0.1")
@example("239.255.255.255")
@example("240.0.0.1")
@example("255.255.255.255")
@example("192.0.2.1\n")
@example("192.0.2.1,192.0.2.2")
def test_an_address_is_what_ipaddress_takes(text: str) -> None:
    """A target must be in the canonical form and reachable; a record set brings into that form what has another."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    is_good = address is not None and not (address.is_unspecified or address.is_multicast)
    canonical = str(address)

    assert (is_good and canonical == text) == (target_fault(text) == "")
    try:
        found = RecordSet.of("A", 5, [text]).values
    except ValueError:
        found = ()
    assert ((canonical,) if address is not None else ()) == found


@given(st.lists(st.one_of(nearly, st.ip_addresses(v=4).map(str)), min_size=1, max_size=4))
def test_no_set_with_a_bad_address_is_content(texts: list[str]) -> None:
    """One among several is enough to be refused, and a set of good ones is taken."""
    try:
        addresses = [ipaddress.IPv4Address(text) for text in texts]
        is_good = not any(address.is_unspecified or address.is_multicast for address in addresses)
    except ValueError:
        is_good = False
    try:
        Content((RecordSet("A", 5, tuple(texts)),))
    except UnsafePlan:
        is_taken = False
    else:
        is_taken = True

    assert is_good == is_taken
