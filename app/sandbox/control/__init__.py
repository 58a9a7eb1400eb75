"""What no real Platform offers: faults on demand and reading back what arrived."""
