"""The pages of letters, inspections and leads."""
