"""Who improves the policies of banks: searches, language models, and classes of a user's own."""
