"""Teeth, and what gives way to them: lips, cheeks, tongue and the floor of the mouth."""
