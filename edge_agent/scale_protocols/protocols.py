"""Every protocol of scales by its name in the profiles."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.scale_protocols import aandd, cas, dini_argeo, mt_sics, nci, ohaus, rice_lake, sartorius, sma, toledo
from edge_agent.scale_protocols.framing import Ended, FixedLength, Framing, Marked, ToledoContinuous
from edge_agent.scale_protocols.weight import ScaleReply


@dataclass(frozen=True, slots=True)
class ScaleProtocol:
    """How a scale is asked and understood.

    `request` is empty for scales that send by themselves. `greeting` is sent before it, and answered with
    `greeting_reply`.
    """

    id: str
    framing: Framing
    parse: Callable[[bytes], ScaleReply]
    request: bytes = b""
    greeting: bytes = b""
    greeting_reply: bytes = b""


_STX_TO_CR = Marked(b"\x02", b"\r")

SCALE_PROTOCOLS: dict[str, ScaleProtocol] = {
    protocol.id: protocol
    for protocol in (
        ScaleProtocol("mt_sics", Ended(), mt_sics.parse, mt_sics.REQUEST),
        ScaleProtocol("kern_kcp", Ended(), mt_sics.parse, mt_sics.REQUEST),
        ScaleProtocol("aandd_standard", Ended(), aandd.parse_standard),
        ScaleProtocol("aandd_18_byte_gs", Ended(), aandd.parse_gross_net),
        ScaleProtocol("cas_22_byte", Ended(), cas.parse_22_byte),
        ScaleProtocol(
            "cas_enq_dc1", FixedLength(cas.HEAD, cas.RETAIL_BYTES), cas.parse_retail, cas.DC1, cas.ENQ, cas.ACK
        ),
        ScaleProtocol("dini_argeo", Ended(), dini_argeo.parse),
        ScaleProtocol("toledo_continuous", ToledoContinuous(), toledo.parse),
        ScaleProtocol("rice_lake_stream", _STX_TO_CR, rice_lake.parse_rice_lake),
        ScaleProtocol("cardinal_stream", Marked(b"\r", b"\x03"), rice_lake.parse_cardinal),
        ScaleProtocol("weightronix_stream", Ended(b"\r"), rice_lake.parse_weightronix),
        ScaleProtocol("condec_demand", _STX_TO_CR, rice_lake.parse_condec),
        ScaleProtocol("sma", Marked(b"\n", b"\r"), sma.parse, sma.REQUEST),
        ScaleProtocol("sartorius_sbi", Ended(), sartorius.parse, sartorius.REQUEST),
        ScaleProtocol("ohaus_3000", Ended(), ohaus.parse),
        ScaleProtocol("ohaus_portable", Ended(), ohaus.parse, ohaus.REQUEST),
        ScaleProtocol("nci", Ended(b"\x03"), nci.parse, nci.REQUEST),
    )
}
