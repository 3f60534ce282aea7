"""The addresses of the pages, one module for each page or pair of pages."""
