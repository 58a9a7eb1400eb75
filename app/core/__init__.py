"""Pure: no I/O, clock, chance, environment or logging. Bytes and values in, values out."""
