"""What the rules are asked about one ticket, and what they answer."""
