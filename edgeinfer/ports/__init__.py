"""The protocols between the rooms. A plugin implements one of them and is named by an entry point.

A plugin is a class with an inner frozen `Options` (a `msgspec.Struct`, every key that a user may write, with
defaults). The app constructs it as `Plugin(options, place)`: the place says where in the house it stands.
"""

from __future__ import annotations

from edgeinfer.ports.common import Array, Clock, Report, Stamp, Stop
from edgeinfer.ports.delivery import (
    CommandName,
    Delivery,
    Encoder,
    EncoderPlace,
    Heard,
    Sink,
    SinkPlace,
    StateKind,
    no_will,
)
from edgeinfer.ports.engine import (
    Backend,
    BackendPlace,
    Decoder,
    DecoderPlace,
    Delegate,
    ModelFile,
    Predictor,
    ReadingsPredictor,
    Session,
)
from edgeinfer.ports.rules import Identifier, Rule, RulePlace
from edgeinfer.ports.sources import Flow, Source, SourcePlace

__all__ = [
    "Array",
    "Backend",
    "BackendPlace",
    "Clock",
    "CommandName",
    "Decoder",
    "DecoderPlace",
    "Delegate",
    "Delivery",
    "Encoder",
    "EncoderPlace",
    "Flow",
    "Heard",
    "Identifier",
    "ModelFile",
    "Predictor",
    "ReadingsPredictor",
    "Report",
    "Rule",
    "RulePlace",
    "Session",
    "Sink",
    "SinkPlace",
    "Source",
    "SourcePlace",
    "Stamp",
    "StateKind",
    "Stop",
    "no_will",
]
