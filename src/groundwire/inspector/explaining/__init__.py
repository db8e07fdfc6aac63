"""What a recorded exchange means: its elements, its fields, why its answer is as it is."""
