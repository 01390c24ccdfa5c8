"""Handlebars helpers, one file for each family; ``templates.catalogue`` names them."""
