"""Flow Service: connections, dataflows, inlet and runs (platform.md sections 1 and 6.1).

specs     the fixed ids of section 0
bodies    what is posted, to the letter
objects   what comes back
runs      the runs of a dataflow
calls     one call for any kind of object
client    FlowService
"""

from app.adobe.flow_service import specs
from app.adobe.flow_service.bodies import (
    MappingRef,
    description_change,
    mapping_change,
    name_change,
)
from app.adobe.flow_service.client import FlowService
from app.adobe.flow_service.objects import (
    BaseConnection,
    Flow,
    Inlet,
    Made,
    SourceConnection,
    Spec,
    TargetConnection,
)
from app.adobe.flow_service.runs import Run

__all__ = [
    "BaseConnection",
    "Flow",
    "FlowService",
    "Inlet",
    "Made",
    "MappingRef",
    "Run",
    "SourceConnection",
    "Spec",
    "TargetConnection",
    "description_change",
    "mapping_change",
    "name_change",
    "specs",
]
