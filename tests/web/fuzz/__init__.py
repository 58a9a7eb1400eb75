"""The receiver's whole HTTP surface under random and hostile input.

`wire.py` speaks raw bytes, `grammar.py` draws requests, `target.py` is the process under fire with
everything behind it, `impatient_receiver.py` the same receiver with short time-outs.
"""
