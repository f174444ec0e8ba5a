"""Personal data as files may hold it."""


def masked_name(name: str | None) -> str | None:
    """The family name alone."""
    return f"{name[0]}*" if name else None


def masked_phone(phone: str | None) -> str | None:
    """The first three digits and the last four."""
    return f"{phone[:3]}****{phone[-4:]}" if phone and len(phone) > 7 else ("****" if phone else None)
