"""One file per page. Each asks app/store, and hands what it got to a template, or to JSON."""
