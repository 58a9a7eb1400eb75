"""Data Prep on this machine: Adobe's mapping sets, compiled once, run on every event.

Pure. The story: document.py finds the set in a file, rows.py reads its rows, language/ reads what
stands in them, compiler/ writes it as Python with functions/ bound to it, mapping_set.py has the
one function of the set, problems.py says what is wrong with it.
"""

from app.core.dataprep.document import label_of, posted
from app.core.dataprep.expression import compile_expression
from app.core.dataprep.mapping_set import Mapped, MappingSet, RowWarning, compile_mapping_set
from app.core.dataprep.problems import Problem
from app.core.dataprep.rows import Row
from app.core.dataprep.variables import VariableInvalid, fill

__all__ = [
    "Mapped",
    "MappingSet",
    "Problem",
    "Row",
    "RowWarning",
    "VariableInvalid",
    "compile_expression",
    "compile_mapping_set",
    "fill",
    "label_of",
    "posted",
]
