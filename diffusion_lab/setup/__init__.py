"""What lab.py is made of: the standard library alone, and nothing of it is installed."""
