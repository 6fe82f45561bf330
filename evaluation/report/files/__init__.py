"""The files beside the page: tables and documents for Word, LaTeX and PDF."""
