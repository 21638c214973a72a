"""Runtime: the loops, the mailboxes, the outbox and the supervisor."""
