"""The figures of a search or an ablation as data: the pages, the files and the CSV all show the same."""
