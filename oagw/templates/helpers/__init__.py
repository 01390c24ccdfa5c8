"""The helpers of templates, one module per family. ``templates.catalogue`` lists them."""
