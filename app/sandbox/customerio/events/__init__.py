"""What Customer.io makes: kinds, fields, people, texts, wire form (customerio.md 1 to 6, 11)."""
