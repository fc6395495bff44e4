"""SQL text: parsing, alignment with the source, name resolution, name repair, canonical print."""
