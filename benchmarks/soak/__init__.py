"""What happens when things go wrong: a campaign of faults and bad input (`make soak`)."""
