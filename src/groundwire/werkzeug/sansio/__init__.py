"""`werkzeug.sansio`: what Werkzeug knows of HTTP without input and output."""
