"""Naming how a wrong query differs from a right one."""
