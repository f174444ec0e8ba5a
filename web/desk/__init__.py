"""What every desk has, whoever sits at it: filters, saved views, ready words, notes beside a ticket, the inbox, leave."""
