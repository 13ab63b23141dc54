"""The graph: nodes, what defines them, bodies, and the scopes that nodes are made in."""
