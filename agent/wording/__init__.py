"""What an answer says: the sentence, the result, and why nothing came back."""
