"""What the loss would be elsewhere: an iteration run again with other numbers, on arrays that nobody else looks at."""
