"""All points of some jobs at once: their exact fronts, and a cloud of the others, thinned where large."""
