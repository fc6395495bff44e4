"""What a statement may be and may read, before an engine sees it."""
