"""Every figure of the README is printed by one command here, side by side with what it is compared to."""
