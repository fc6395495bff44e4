"""What a refiner is told of the errors that were found."""
