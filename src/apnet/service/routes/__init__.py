"""The routes of the service, by what they need: reading, enrolling, erasing."""
