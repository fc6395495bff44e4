"""Training on a GPU that is lent for minutes: what to carry there, what runs there, what comes back.

The other machine has torch, transformers, peft and gguf, no network, and no other package of this project.
What goes there and back is limited in size: the model travels in pieces, with the embeddings in use alone.
"""
