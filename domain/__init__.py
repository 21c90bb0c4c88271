"""What is true and what is allowed: pure rooms without clock, chance or I/O."""
