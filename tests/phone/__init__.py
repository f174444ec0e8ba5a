"""The phone in the street: codes on the wall, work without network, photos as evidence, the burden measured."""
