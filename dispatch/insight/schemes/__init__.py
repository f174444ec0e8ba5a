"""What may be switched on, by whom and within which limits: rankings, reports more often than monthly, assessment
schemes. Everything is off until somebody named turns it on; what the limits forbid is refused with its clause."""
