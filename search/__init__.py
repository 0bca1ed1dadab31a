"""Jobs, search strategies and Pareto fronts; knows nothing of Ray, SQL or HTTP."""
