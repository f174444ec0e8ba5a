"""What leaves the house: notices, links and the channels that carry them."""
