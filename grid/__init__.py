"""Who: the standing world that exists before any ticket arrives (areas, people, duties, settings).

May import `geo`; never imports Flask.
"""
