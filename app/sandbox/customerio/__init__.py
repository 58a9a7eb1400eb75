"""Customer.io's side: the events it makes and the way it posts them."""
