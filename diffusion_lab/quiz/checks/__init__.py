"""What `quiz check` looks for. A rule takes the house of a deck and yields problems; RULES lists them all."""
