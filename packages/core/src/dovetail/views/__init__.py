"""What a network looks like: a table of its layers, a drawing, a page that folds."""
