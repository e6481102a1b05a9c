"""Row ledger, digests, verdicts and gates: what changed, and what may be used."""
