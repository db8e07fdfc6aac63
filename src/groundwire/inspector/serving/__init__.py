"""What is at ``/__wire__``: the page, the JSON, what happens as it happens, and who may see it."""
