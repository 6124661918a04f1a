"""Workbooks as officials send them: read by a template, questioned where they can be read in two ways, never guessed.

`workbook` (bytes -> sheets) → `headers`, `titles`, `cells` (what stands where) → `form` (rows, questions, checks) →
`events`. All of this is pure; `publish` alone knows the broker and the database.
"""
