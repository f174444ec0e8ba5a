"""From one problem to a class: repeated places and matters, clusters, bursts, what comes every year, what is stuck.

A candidate is found by rows; a person makes it a topic with an owner, a plan and a date; its effect is measured.
"""
