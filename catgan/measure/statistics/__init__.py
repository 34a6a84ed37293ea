"""How sure a number is: intervals, over one run or several, and of differences."""
