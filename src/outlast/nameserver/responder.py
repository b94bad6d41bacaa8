"""From a request's bytes to an answer's bytes: the whole server but its sockets.

Responses and packets without a header are dropped; everything else gets an answer, if only FORMERR. Transfers are
refused. UPDATE needs a signature (RFC 8945); a query may have one, and its answer then has one too.
"""

from typing import NamedTuple

import dns.rcode
import dns.rdatatype
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from outlast.clock import Clock
from outlast.nameserver.answer import answer
from outlast.nameserver.journal import NANOSECONDS
from outlast.nameserver.keys import Keyring, UpdateKey, Verdict
from outlast.nameserver.refusal import Refusal
from outlast.nameserver.render import Response, header_only, render, size_max
from outlast.nameserver.request import Edns, Header, Malformed, Request, Signature, read_header, read_request
from outlast.nameserver.updater import Updater

_TRANSFERS = (RdataType.AXFR, RdataType.IXFR)


class _Proof(NamedTuple):
    signature: Signature
    verdict: Verdict


class Responder:
    """Answers requests from the zones of an `Updater`, which also carries out the updates.

    Args:
        updater: The zones and what may change them.
        keyring: Whose signatures are known.
        clock: Its wall time is held against that of signatures.
        follows_aliases: The hazard of `outlast.nameserver.alias`.

    """

    def __init__(self, updater: Updater, keyring: Keyring, clock: Clock, *, follows_aliases: bool) -> None:
        self._updater = updater
        self._keyring = keyring
        self._clock = clock
        self._follows_aliases = follows_aliases

    def respond(self, wire: bytes, peer: str, transport: str) -> bytes | None:
        """Return the answer to a packet, or `None` for one that deserves none.

        Raises:
            Unavailable: An update could not be written to disk, or its line not to the journal.

        """
        header = read_header(wire)
        if header is None or header.is_response:  # answering a response is how two servers start to play for ever
            return None
        if header.opcode not in (Opcode.QUERY, Opcode.UPDATE):
            return header_only(header, Rcode.NOTIMP)
        try:
            request = read_request(wire, header)
            proof = self._proof(wire, request)
        except Malformed:
            return header_only(header, Rcode.FORMERR)
        return self._signed(
            self._response(request, proof, peer), request.edns, header, proof=proof, transport=transport
        )

    def fallback(self, wire: bytes) -> bytes | None:
        """Answer SERVFAIL: what is said when `respond` raised."""
        header = read_header(wire)
        return None if header is None or header.is_response else header_only(header, Rcode.SERVFAIL)

    def _wall(self) -> int:
        return self._clock.wall() // NANOSECONDS

    def _proof(self, wire: bytes, request: Request) -> _Proof | None:
        if request.signature is None:
            return None
        return _Proof(request.signature, self._keyring.verify(wire, request.signature, wall=self._wall()))

    def _response(self, request: Request, proof: _Proof | None, peer: str) -> Response:
        if request.edns is not None and request.edns.version > 0:
            return Response(Rcode.BADVERS, request.question)  # RFC 6891, section 6.1.3
        if request.header.opcode == Opcode.UPDATE:
            return self._update(request, proof, peer)
        if proof is not None and proof.verdict.error != Rcode.NOERROR:
            return Response(Rcode.NOTAUTH, request.question)
        return self._query(request)

    def _query(self, request: Request) -> Response:
        question = request.question[0]
        zone = self._updater.zone_above(question.name)
        if zone is None or question.rdclass != RdataClass.IN or question.rdtype in _TRANSFERS:
            return Response(Rcode.REFUSED, request.question)
        if dns.rdatatype.is_metatype(question.rdtype) and question.rdtype != RdataType.ANY:
            return Response(Rcode.FORMERR, request.question)
        reply = answer(zone, question.name, question.rdtype, follows_aliases=self._follows_aliases)
        return Response(reply.rcode, request.question, reply.answer, reply.authority, is_authoritative=True)

    def _update(self, request: Request, proof: _Proof | None, peer: str) -> Response:
        key: UpdateKey | None = proof.verdict.key if proof else None
        try:
            if proof is None or key is None or proof.verdict.error != Rcode.NOERROR:
                raise _unproved(proof)
            self._updater.carry_out(request, key, peer)
        except Refusal as refusal:
            self._updater.note_refusal(request, refusal, key=key, peer=peer)
            return Response(refusal.rcode, told=refusal.reason if refusal.is_told else "")
        return Response(Rcode.NOERROR)

    def _signed(
        self, response: Response, edns: Edns | None, header: Header, *, proof: _Proof | None, transport: str
    ) -> bytes:
        size = size_max(transport, edns)
        if proof is None:
            return render(header, response, edns=edns, size=size)
        size -= self._keyring.signature_bytes(proof.signature)
        wire = render(header, response, edns=edns, size=size)
        return self._keyring.sign(wire, proof.signature, proof.verdict, wall=self._wall())


def _unproved(proof: _Proof | None) -> Refusal:
    if proof is None:
        return Refusal(Rcode.REFUSED, "the update is not signed")
    return Refusal(
        Rcode.NOTAUTH, f"the signature was not accepted: {dns.rcode.to_text(proof.verdict.error, tsig=True)}"
    )
