"""Contracts -> the data model as pictures and text: SVG, Mermaid and DBML, for the docs."""
