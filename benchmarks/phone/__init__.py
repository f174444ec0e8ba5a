"""What a report costs the person outdoors: measured in a browser at phone size; `docs/phone.md` says how."""
