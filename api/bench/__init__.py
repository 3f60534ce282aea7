"""The benchmarks: histories of any size, and how the product compares with plainer ways."""
