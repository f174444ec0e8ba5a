"""What the hotline keeps beside the tickets: calls that ring, questions and answers, theme desks, the city platform."""
