"""The pages of the standing world: borders and their maps."""
