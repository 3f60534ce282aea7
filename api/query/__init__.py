"""The query language of the log: text to tree, tree to SQL."""
