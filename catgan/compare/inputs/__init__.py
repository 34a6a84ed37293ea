"""What comes in: names that a person typed, made arms of runs and folders that can be measured."""
