"""The bits of each layer over the epochs of a trial that may change them."""
