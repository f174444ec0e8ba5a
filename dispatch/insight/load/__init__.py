"""Load as a measured quantity: what waits at a grid, a community or a unit, who could share it, how an overloaded grid
could be split along its cells, and what this software asks of people. Never who used it how much."""
