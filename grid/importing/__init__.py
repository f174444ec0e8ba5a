"""What a city brings along: boundary files and tables of organisations, staff and responsibilities.

Files are hostile until proven plain. Each import checks everything first, says by file, row and column what is
wrong, and then writes all of it or nothing. Pages and commands call the same functions.
"""
