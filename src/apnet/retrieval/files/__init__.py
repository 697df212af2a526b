"""Feature files and feature stores."""
