"""Questions in the shapes that analysts use, made by code from a schema, each with its query."""
