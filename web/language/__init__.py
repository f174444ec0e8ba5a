"""Chinese first, English second: the Chinese words are the keys, nothing is translated that a person typed.

`spoken` says which language a request has, `choosing` switches it, `saying` finds the English of a sentence, `in_templates` asks it for
the words that views hand to templates, `scripts` serves the scripts in English, `catalogue` keeps the catalogue.
"""
