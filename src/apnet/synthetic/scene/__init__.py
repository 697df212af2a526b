"""What a camera sees around a person: place, light, weather, objects, obstacles."""
