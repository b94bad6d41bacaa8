"""Nothing a peer sends makes the server raise."""

import os
import random

import dns.message
import pytest
from unit.nameserver.bench import Bench, BenchFactory

PACKETS = 3_000


def _valid(bench: Bench, chance: random.Random) -> bytes:
    name = chance.choice(["www", "web", "loop1", "x.wild", "nothing", "_a.deep"])
    if chance.random() < 0.4:
        query = dns.message.make_query(f"{name}.example.test", chance.choice(["A", "ANY", "SOA", "TXT", "AXFR"]))
        query.use_edns(chance.choice([None, 0, 1]))
        return query.to_wire()
    update = bench.update()
    update.present(name, "A", "192.0.2.1")
    update.replace(name, 5, "A", "192.0.2.1", "192.0.2.2")
    update.add(name, 5, "TYPE65280", "\\# 3 016100")
    update.delete(name, "MX")
    update.use_edns(chance.choice([None, 0]))
    return update.to_wire()


def _mutated(wire: bytes, chance: random.Random) -> bytes:
    data = bytearray(wire)
    for _ in range(chance.choice([0, 1, 1, 2, 8])):
        match chance.randrange(4):
            case 0:
                data[chance.randrange(len(data))] = chance.randrange(256)
            case 1:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 2:
                del data[chance.randrange(12, len(data) + 1) :]
            case 3:
                at = chance.randrange(len(data))
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
    return bytes(data)


@pytest.mark.slow
def test_random_packets_never_raise(make_bench: BenchFactory) -> None:
    """Each mutation is answered or dropped, an answer repeats the id, and the zone is still served afterwards."""
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed {seed}: FUZZ_SEED={seed} pytest tests/unit/nameserver/test_nameserver_fuzz.py")  # noqa: T201 replay
    chance = random.Random(seed)
    bench = make_bench(aliases=True)
    for _ in range(PACKETS):
        wire = _mutated(_valid(bench, chance), chance)
        answer = bench.responder.respond(wire, "peer", chance.choice(["udp", "tcp"]))

        assert answer is None or answer[:2] == wire[:2]
    assert bench.ask("@", "SOA").answer
