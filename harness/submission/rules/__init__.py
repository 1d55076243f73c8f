"""What a submission must be. One file a subject; each reports everything it finds to the ledger."""
