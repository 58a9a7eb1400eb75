"""Writing a mapping set as one Python function: sources, expressions, record."""
