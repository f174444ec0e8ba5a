"""From the question in an address to numbers and files as pages give them."""
