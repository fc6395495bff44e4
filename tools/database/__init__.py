"""Databases: read-only engines behind one interface, each guarded by the engine itself."""
