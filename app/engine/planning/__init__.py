"""Planning: in which order a bind computes, what lives when and where, and how much memory that needs."""
