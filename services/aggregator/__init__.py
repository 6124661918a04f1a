"""From messages to rows: validate each alone, fold, and store a batch in one transaction before acknowledging it."""
