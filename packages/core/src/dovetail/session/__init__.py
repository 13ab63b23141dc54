"""Sessions: what is fed and fetched, the state between runs, and what a run would cost."""
