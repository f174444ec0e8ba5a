"""The `flask …` commands, one file per task. They may know Flask; what they call may not."""
