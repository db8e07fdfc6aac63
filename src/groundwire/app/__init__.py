"""Layer 4: what a user of Flask knows. Answers what the server hands over, and never sees a connection."""
