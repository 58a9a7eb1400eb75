"""Both ends of a connection set up by one command: what is wanted, what is there, what to do.

wiring          what the command line and the console call: plan, apply, status, switch, destroy
plan, run       what would be done, as a value; what the steps of one apply share
engine, steps/  carrying it out: one step for each kind of object
standing, switching, testing, destroying   the other things that are done with a connection
questions, checks, setup_file     the wizard, without a terminal: what it asks, looks at, writes
state, lane, trial, connection_file, typed_secrets   this machine: what is remembered, held, tried,
    written, and kept from others
ends, documents, schema_bodies, tutorial, wanted   the clients; what is read; what is posted
"""
