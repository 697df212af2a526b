"""Networks of other toolkits, so that checkpoints trained with them can be used here."""
