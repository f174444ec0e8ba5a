"""The drill's other half: nothing is killed, but the network goes bad, the disk fills up, the clock is moved."""
