"""The types of toxics, by name."""

from collections.abc import Mapping

from oagw.toxics.attributes import Attributes
from oagw.toxics.bandwidth import Bandwidth
from oagw.toxics.cut import LimitData, ResetPeer, Timeout
from oagw.toxics.latency import Latency
from oagw.toxics.slicer import Slicer
from oagw.toxics.slow_close import SlowClose

TYPES: Mapping[str, type[Attributes]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
}
