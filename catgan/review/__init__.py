"""`catgan review`: the page where a person has the last word."""
