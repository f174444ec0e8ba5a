"""Reports that write themselves: the monthly bulletin, tables of one's own making, and masked exports.

Nobody types a figure anywhere: every cell is a sum of measures and opens into its tickets.
"""
