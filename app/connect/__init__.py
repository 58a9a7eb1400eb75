"""Both ends of a connection set up by one command: what is wanted, what is there, what to do."""
