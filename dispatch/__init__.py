"""What happens next, and by when: the moving tickets.

`rules` decide purely, `record` writes and reads, `insight` learns from the record, `engine` carries it out.
May import `geo` and `grid`; never imports Flask.
"""
