"""Data Prep on this machine: Adobe's mapping sets, compiled once, run on every event.

Pure. The story: rows.py reads a set, language/ reads what stands in its rows, compiler/ writes it
as Python with functions/ bound to it, mapping_set.py makes the one function of the set.
"""

from app.core.dataprep.mapping_set import Mapped, MappingSet, RowWarning, compile_mapping_set
from app.core.dataprep.rows import Row
from app.core.dataprep.variables import VariableInvalid, fill

__all__ = [
    "Mapped",
    "MappingSet",
    "Row",
    "RowWarning",
    "VariableInvalid",
    "compile_mapping_set",
    "fill",
]
