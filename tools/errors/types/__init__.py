"""The fifteen error types, one file each, and the catalogue that holds them."""
