"""What a refused request would have to look like."""
