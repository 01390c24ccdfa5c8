"""The rules of the exam, on journals made by hand."""
