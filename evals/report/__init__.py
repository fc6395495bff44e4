"""What a run showed: pages, tables, plots, causes."""
