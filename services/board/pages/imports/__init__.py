"""The page of workbooks: uploaded, read, questioned, sent, and taken back."""
