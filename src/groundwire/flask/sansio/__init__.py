"""`flask.sansio`: where Flask keeps what Quart shares; here it is the one application."""
