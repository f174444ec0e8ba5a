"""What people at desks keep beside the tickets: notes, drafts, who holds what, views, ready words, ratings, inboxes.

None of it changes a ticket; where a ticket must change, `actions` is called.
"""
