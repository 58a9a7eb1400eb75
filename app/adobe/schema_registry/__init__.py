"""Schema Registry: schemas, field groups, classes, descriptors (platform.md section 5.1).

documents   what is posted, and what comes back
client      SchemaRegistry: the calls
"""

from app.adobe.schema_registry.client import SchemaRegistry
from app.adobe.schema_registry.documents import EXPERIENCE_EVENT, UNION, Descriptor, Resource

__all__ = ["EXPERIENCE_EVENT", "UNION", "Descriptor", "Resource", "SchemaRegistry"]
