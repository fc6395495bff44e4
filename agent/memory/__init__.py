"""What is kept between questions: answers and the user's own examples."""
