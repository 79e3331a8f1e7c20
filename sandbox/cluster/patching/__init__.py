"""The four ways of changing part of an object, and the book-keeping of who wrote which field."""
